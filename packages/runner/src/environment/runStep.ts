import { Effect, Stream } from "effect"
import type { Ending, ExecRequest, Sandbox, SandboxError } from "../sandbox/Sandbox.ts"
import { PreparationFailed, type PreparationTrouble } from "./PreparationFailed.ts"

/** Somebody waits for minutes: what is being done, a line at a time. */
export type OnLine = (line: string) => Effect.Effect<void>

export const linesKept = 30
const lineCharsMax = 2_000

/** Credentials in addresses are nobody's business, and colours are for terminals. */
const plain = (line: string) =>
  // eslint-disable-next-line no-control-regex
  line.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "").replace(/\/\/[^\s/@]+@/g, "//")

/** Makes lines of pieces, wherever they are cut; a progress bar's returns end a line too. Empty ones are none. */
export class TextLines {
  private readonly decoder = new TextDecoder()
  private readonly charsMax: number
  private rest = ""

  constructor(charsMax = lineCharsMax) {
    this.charsMax = charsMax
  }

  push(bytes: Uint8Array): ReadonlyArray<string> {
    const parts = (this.rest + this.decoder.decode(bytes, { stream: true })).split(/[\r\n]+/)
    this.rest = (parts.pop() ?? "").slice(-this.charsMax)
    return tidied(parts, this.charsMax)
  }

  end(): ReadonlyArray<string> {
    return tidied([this.rest], this.charsMax)
  }
}

const tidied = (lines: ReadonlyArray<string>, charsMax: number) =>
  lines.map((line) => plain(line).trimEnd().slice(0, charsMax)).filter((line) => line !== "")

const endingText = (ending: Ending): string => {
  switch (ending._tag) {
    case "Exited":
      return `exit code ${ending.code}`
    case "Signalled":
      return ending.signal
    case "TimedOut":
      return `not done in ${Math.round(ending.afterMs / 1_000)} s`
    case "OutOfMemory":
      return "out of memory"
    case "OutOfDisk":
      return "out of disk"
    case "Killed":
      return ending.reason
  }
}

export const unusable = (step: string) => (error: { readonly message: string }) =>
  new PreparationFailed({ step, reason: { _tag: "Sandbox", detail: error.message }, cause: error })

/** Runs one command to its end. Anything but the exit code 0 is a failure with the last lines that were said. */
export const runStep = Effect.fnUntraced(function* (
  sandbox: Sandbox,
  step: string,
  request: ExecRequest,
  onLine: OnLine
) {
  const said: Array<string> = []
  const hear = (lines: ReadonlyArray<string>) =>
    Effect.forEach(
      lines,
      (line) => {
        said.push(line)
        if (said.length > linesKept) said.shift()
        return onLine(line)
      },
      { discard: true }
    )
  const process = yield* sandbox.exec(request).pipe(Effect.mapError(unusable(step)))
  const streams = { stdout: new TextLines(), stderr: new TextLines() }
  yield* Stream.runForEach(process.output, ({ bytes, stream }) => hear(streams[stream].push(bytes)))
  yield* hear([...streams.stdout.end(), ...streams.stderr.end()])
  const ending = yield* process.ending
  if (ending._tag === "Exited" && ending.code === 0) return
  const reason: PreparationTrouble = { _tag: "Failed", ending: endingText(ending), said }
  return yield* new PreparationFailed({ step, reason })
}, Effect.scoped)

/** Whether the sandbox has the program. */
export const hasProgram = Effect.fnUntraced(function* (sandbox: Sandbox, program: string) {
  const process = yield* sandbox.exec({ command: ["sh", "-c", 'command -v "$1"', "sh", program], timeoutMs: 60_000 })
  const ending = yield* process.ending
  return ending._tag === "Exited" && ending.code === 0
}, Effect.scoped) satisfies (sandbox: Sandbox, program: string) => Effect.Effect<boolean, SandboxError>
