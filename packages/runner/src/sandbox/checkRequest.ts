import type { ExecRequest, SandboxSpec, SandboxTrouble } from "./Sandbox.ts"
import { isGiven, workingDirectory } from "./SandboxPaths.ts"

type BadRequest = Extract<typeof SandboxTrouble.Type, { readonly _tag: "BadRequest" }>

/** What the kernel takes: one string of 128 KiB, and 2 MiB of them, of which a quarter is left for pointers and paths. */
const stringBytesMax = 131_071
const allBytesMax = 1_572_864
const pathBytesMax = 4_095
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
const terminalSideMax = 10_000

const bytes = (text: string) => Buffer.byteLength(text)
const bad = (field: string, detail: string): BadRequest => ({ _tag: "BadRequest", field, detail })

/** Why this cannot be meant, or undefined where it can. What the request names but does not exist shows only inside. */
export const checkRequest = (
  spec: Pick<SandboxSpec, "mounts" | "variables">,
  request: ExecRequest
): BadRequest | undefined =>
  checkCommand(request.command) ??
  checkDirectory(spec, workingDirectory(request.cwd)) ??
  checkVariables({ ...spec.variables, ...request.variables }) ??
  checkTotal(spec, request) ??
  checkTimeout(request.timeoutMs) ??
  (request.terminal === undefined ? undefined : checkTerminal(request.terminal.columns, request.terminal.rows))

const checkText = (field: string, text: string): BadRequest | undefined =>
  text.includes("\0")
    ? bad(field, "a NUL byte")
    : bytes(text) > stringBytesMax
      ? bad(field, `${bytes(text)} bytes, and at most ${stringBytesMax} can be passed on`)
      : undefined

const checkCommand = (command: ReadonlyArray<string>): BadRequest | undefined =>
  command[0] === undefined || command[0] === ""
    ? bad("command", "no command")
    : command.map((text, index) => checkText(`command[${index}]`, text)).find((found) => found !== undefined)

const checkDirectory = (spec: Pick<SandboxSpec, "mounts">, cwd: string): BadRequest | undefined =>
  cwd.includes("\0")
    ? bad("cwd", "a NUL byte")
    : bytes(cwd) > pathBytesMax
      ? bad("cwd", `a path of ${bytes(cwd)} bytes, and at most ${pathBytesMax} are possible`)
      : isGiven(spec, cwd)
        ? undefined
        : bad("cwd", "not an absolute path in or below the sandbox's directories, without . and ..")

const checkVariables = (variables: Readonly<Record<string, string>>): BadRequest | undefined =>
  Object.entries(variables)
    .map(([name, value]) =>
      variableName.test(name)
        ? checkText(`variables.${name}`, `${name}=${value}`)
        : bad("variables", `${JSON.stringify(name)} is not a name`)
    )
    .find((found) => found !== undefined)

const checkTotal = (spec: Pick<SandboxSpec, "variables">, request: ExecRequest): BadRequest | undefined => {
  const variables = Object.entries({ ...spec.variables, ...request.variables }).flat()
  const total = [...request.command, ...variables].reduce((sum, text) => sum + bytes(text) + 1, 0)
  return total > allBytesMax
    ? bad("command", `${total} bytes with the variables, and at most ${allBytesMax} can be passed on`)
    : undefined
}

const checkTimeout = (timeoutMs: number | undefined): BadRequest | undefined =>
  timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0)
    ? undefined
    : bad("timeoutMs", `${timeoutMs} is not a time to wait`)

export const checkTerminal = (columns: number, rows: number): BadRequest | undefined =>
  [columns, rows].every((side) => Number.isInteger(side) && side > 0 && side <= terminalSideMax)
    ? undefined
    : bad("terminal", `${columns} × ${rows} is not the size of a terminal`)
