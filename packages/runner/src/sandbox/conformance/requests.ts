import { Effect } from "effect"
import { type ExecRequest, places } from "../Sandbox.ts"
import { run } from "./Bench.ts"
import { type Check, check, equals, refusal } from "./Check.ts"

const long = (bytes: number) => `${places.workspace}/${"d/".repeat(bytes / 2)}`.slice(0, bytes)

const bad: ReadonlyArray<readonly [what: string, request: Partial<ExecRequest>, field: string]> = [
  ["no command", { command: [""] }, "command"],
  ["a NUL in the command", { command: ["tr\0ue"] }, "command[0]"],
  ["a NUL in an argument", { command: ["echo", "a\0b"] }, "command[1]"],
  ["an argument longer than the kernel takes", { command: ["echo", "x".repeat(200_000)] }, "command[1]"],
  [
    "more arguments than the kernel takes",
    { command: ["echo", ...Array.from({ length: 40 }, () => "x".repeat(100_000))] },
    "command"
  ],
  ["a NUL in the directory", { cwd: `${places.workspace}/a\0b` }, "cwd"],
  ["a relative directory", { cwd: "src" }, "cwd"],
  ["a directory with ..", { cwd: `${places.workspace}/../etc` }, "cwd"],
  ["a directory outside", { cwd: "/root" }, "cwd"],
  ["a name that begins alike", { cwd: `${places.workspace}-of-another` }, "cwd"],
  ["a path of 4,096 bytes", { cwd: long(4_096) }, "cwd"],
  ["a directory that is not there", { cwd: `${places.workspace}/nowhere` }, "cwd"],
  ["a variable without a name", { variables: { "": "x" } }, "variables"],
  ["a variable with = in its name", { variables: { "A=B": "x" } }, "variables"],
  ["a NUL in a variable", { variables: { A: "x\0y" } }, "variables.A"],
  ["a timeout of nothing", { timeoutMs: 0 }, "timeoutMs"],
  ["a timeout before now", { timeoutMs: -1 }, "timeoutMs"],
  ["a timeout that is no number", { timeoutMs: Number.NaN }, "timeoutMs"],
  ["a terminal without lines", { terminal: { columns: 80, rows: 0 } }, "terminal"]
]

export const requests: ReadonlyArray<Check> = [
  check("running", "what cannot be meant is refused by name, and disturbs nothing", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      for (const [what, request, field] of bad) {
        const { reason } = yield* refusal(Effect.scoped(sandbox.exec({ command: ["true"], ...request })))
        yield* equals([reason._tag, "field" in reason ? reason.field : null], ["BadRequest", field], what)
      }
      yield* equals((yield* run(sandbox, "true")).ending, { _tag: "Exited", code: 0 }, "a good request after that")
    })
  ),
  check("running", "a directory that is a file, or not to be entered, is refused", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* run(sandbox, "echo > file; mkdir closed; chmod 0 closed; ln -s nowhere dangling")
      for (const name of ["file", "closed", "dangling"]) {
        const { reason } = yield* refusal(
          Effect.scoped(sandbox.exec({ command: ["true"], cwd: `${places.workspace}/${name}` }))
        )
        yield* equals(reason._tag, "BadRequest", name)
      }
    })
  ),
  check("running", "input for a process without input is refused", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const process = yield* sandbox.exec({ command: ["sleep", "60"] })
      const { reason } = yield* refusal(process.write(Buffer.from("x")))
      yield* equals(reason._tag, "BadRequest", "writing to it")
    })
  ),
  check("absent", "nothing runs, and that is said as such", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { reason } = yield* refusal(Effect.scoped(sandbox.exec({ command: ["true"] })))
      yield* equals(reason._tag, "NothingRuns", "running something")
      yield* sandbox.destroy
    })
  )
]
