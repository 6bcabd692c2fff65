import type { ExecRequest } from "../Sandbox.ts"
import { systemPath } from "../Tools.ts"

/** One word of a shell, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

export interface ExecFiles {
  readonly outer: string
  readonly inner: string
  readonly events: string
  readonly stdin: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Root, and the host's own: not one of a user namespace. */
const isHostsRoot = `[ "$(id -u)" = 0 ] && grep -q '^ *0 *0 ' /proc/self/uid_map`

/**
 * What the client is asked to run: nothing of the request is in it, since clients may rewrite or print what they are told.
 * `account` makes another of the host's root.
 */
export const clientCommand = (outer: string, account: ReadonlyArray<string>): string => {
  const run = (words: ReadonlyArray<string>) =>
    `exec env -i PATH=${systemPath} ${[...words, "/bin/sh", outer].map(quoted).join(" ")}`
  return account.length === 0 ? run([]) : `if ${isHostsRoot}; then ${run(account)}; else ${run([])}; fi`
}

/**
 * Runs the program with its streams led to our pipes, and says how it ended. `guard` marks it. Input
 * goes through a pipe without a name: programs may open theirs once more, which with a named one waits for a writer.
 */
export const outerScript = (files: ExecFiles, guard: ReadonlyArray<string>): string => {
  const program = `${guard.map(quoted).join(" ")} /bin/sh ${quoted(files.inner)}`
  const run = `${program} > ${quoted(files.stdout)} 2> ${quoted(files.stderr)}`
  return `exec 3> ${quoted(files.events)}
${files.stdin === null ? "" : `cat < ${quoted(files.stdin)} | `}{
  ${run}${files.stdin === null ? " < /dev/null" : ""}
  echo "exit $?" >&3
}
`
}

/** Becomes the program, in its directory and with its variables alone. */
export const innerScript = (
  request: ExecRequest,
  directory: string,
  variables: Readonly<Record<string, string>>
): string =>
  `cd -- ${quoted(directory)} 2>/dev/null || { echo directory >&3; exit 1; }
unset OLDPWD PATH
${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
  .join("")}echo ready >&3
exec 3>&-
exec ${request.command.map(quoted).join(" ")}
`
