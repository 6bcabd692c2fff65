import type { JsonObject } from "@troupe/domain/Json"
import { text } from "@troupe/domain/session/Content"
import { Effect, Scope, Schema } from "effect"
import type { SandboxError } from "../../sandbox/Sandbox.ts"
import type { ShellEnding, ShellResult } from "../shell/Shell.ts"
import { say, ToolFailure, type ToolOutput } from "../Tool.ts"
import type { ToolPlace } from "../ToolPlace.ts"
import { type BuiltIn, objectSchema } from "./BuiltIn.ts"
import { limits } from "./limits.ts"

const { commandLengthMax, headBytes, tailBytes, timeoutMs, timeoutMsMax } = limits.bash

const Input = Schema.Struct({
  command: Schema.optionalKey(Schema.String),
  restart: Schema.optionalKey(Schema.Boolean),
  timeout_ms: Schema.optionalKey(Schema.Int)
})
type Input = typeof Input.Type

const description = `Runs a command in the session's bash shell and gives back what it printed, stdout and stderr together, and its exit code.

- There is one shell for the whole session: the current directory, variables, functions and background jobs are still there at the next call.
- Commands get no input: stdin is empty. Use flags that answer for you (-y, --no-pager, -m "message").
- Start servers and watchers in the background: \`cmd > log 2>&1 &\`.
- A command that takes longer than timeout_ms (default ${timeoutMs / 1_000} s, at most ${timeoutMsMax / 60_000} min) is killed, with the shell and everything it started. The same happens on \`exit\`. The next call then gets a fresh shell.
- Of long output you get the beginning and the end, and the name of a file with all of it. Filter first where you can.
- restart: true, without a command, gives you a fresh shell.
- To look at files use read, glob and grep; to change them use write and edit.`

const inputSchema = objectSchema(
  {
    command: { type: "string", minLength: 1, maxLength: commandLengthMax, description: "The bash script to run." },
    restart: { type: "boolean", description: "Start a fresh shell first. Everything that runs in the old one ends." },
    timeout_ms: { type: "integer", minimum: 1, maximum: timeoutMsMax, description: "Milliseconds until it is killed." }
  },
  []
)

export const bash = (place: ToolPlace): BuiltIn<Input> => ({
  name: "bash",
  description,
  schema: Input,
  inputSchema: { ...inputSchema, anyOf: [{ required: ["command"] }, { required: ["restart"] }] },
  executor: "sandbox",
  readOnly: false,
  idempotent: false,
  scripts: ["command"],
  timeoutMs: ({ timeout_ms }) => timeout_ms ?? timeoutMs,
  // A call that waits for the shell has not started: its time begins when the shell is its own.
  changes: () => "shell",
  run: Effect.fnUntraced(function* ({ command, restart = false, timeout_ms }) {
    if (restart) yield* place.shell.restart
    if (command === undefined) {
      return restart ? say("A fresh shell is ready.", { restarted: true }) : yield* nothing
    }
    if (command.includes("\0")) return yield* new ToolFailure({ message: "A command can't have a NUL character." })
    const scope = yield* Scope.Scope
    const result = yield* place.shell
      .run({
        command,
        timeoutMs: timeout_ms ?? timeoutMs,
        headBytes,
        tailBytes,
        spill: Scope.provide(place.spill("bash"), scope)
      })
      .pipe(Effect.mapError(noShell))
    return outputOf(result)
  })
})

const nothing = new ToolFailure({ message: "Give a command, or restart: true." })

const noShell = (error: SandboxError) => {
  const { reason } = error
  return reason._tag === "NothingRuns"
    ? new ToolFailure({ message: "Nothing can be run in this session: its environment has no sandbox." })
    : new ToolFailure({
        message: `The shell could not be started: ${error.message}`,
        details: { sandbox: reason._tag }
      })
}

const outputOf = ({ background, ending, output, stderrBytes }: ShellResult): ToolOutput => {
  const isFine = ending._tag === "Exited" && ending.code === 0
  const parts = [
    background === "" ? "" : `[From the background, since the last call:]\n${withLineEnd(background)}[End]\n`,
    output.text,
    endingText(ending, output.text)
  ]
  const shown = parts.join("")
  return {
    content: text(shown === "" ? "(no output)" : shown),
    outcome: isFine ? "succeeded" : ending._tag === "TimedOut" ? "timed_out" : "failed",
    details: {
      ...endingDetails(ending),
      outputBytes: output.bytes,
      stderrBytes,
      truncated: output.isTruncated,
      ...(output.spill === null ? {} : { spill: output.spill })
    }
  }
}

const withLineEnd = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

const endingText = (ending: ShellEnding, output: string): string => {
  const line = output === "" || output.endsWith("\n") ? "" : "\n"
  const fresh = "The next call gets a fresh shell: directory, variables and background jobs are gone."
  switch (ending._tag) {
    case "Exited":
      return ending.code === 0 ? "" : `${line}[Exit code ${ending.code}]`
    case "TimedOut":
      return `${line}[Killed after ${ending.afterMs} ms, and the shell with it. ${fresh}]`
    case "ShellEnded":
      return `${line}[The shell ended: ${endedBy(ending.ending)}. ${fresh}]`
  }
}

type Ended = Extract<ShellEnding, { readonly _tag: "ShellEnded" }>["ending"]

const endedBy = (ending: Ended): string => {
  switch (ending._tag) {
    case "Exited":
      return ending.code === 127
        ? "exit code 127; if that was the first command, there is no bash here"
        : `exit code ${ending.code}`
    case "Signalled":
      return `signal ${ending.signal}`
    case "TimedOut":
      return `its time was over after ${ending.afterMs} ms`
    case "OutOfMemory":
      return "it ran out of memory"
    case "OutOfDisk":
      return "it ran out of disk space"
    case "Killed":
      return `it was killed: ${ending.reason}`
  }
}

const endingDetails = (ending: ShellEnding): JsonObject => {
  switch (ending._tag) {
    case "Exited":
      return { exitCode: ending.code }
    case "TimedOut":
      return { timedOutAfterMs: ending.afterMs, shellEnded: true }
    case "ShellEnded": {
      const { ending: end } = ending
      return { shellEnded: true, ended: end._tag, ...(end._tag === "Exited" ? { exitCode: end.code } : {}) }
    }
  }
}
