import { Effect } from "effect"
import { join } from "node:path"
import { eventually, finish, run, sizeOf, start } from "./Bench.ts"
import { type Check, check, equals, holds } from "./Check.ts"

const size = { columns: 101, rows: 37 }
const lines = (text: string) => text.replaceAll("\r", "").trim().split("\n")

export const terminal: ReadonlyArray<Check> = [
  check("terminal", "a process has a terminal of the size that was asked for", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { ending, stderr, stdout } = yield* run(
        sandbox,
        "test -t 0 && test -t 1 && test -t 2 && stty size; echo err >&2; exit 5",
        { terminal: size, input: true }
      )
      yield* equals([lines(stdout), stderr], [["37 101", "err"], ""], "what it says, all on one stream")
      yield* equals(ending, { _tag: "Exited", code: 5 }, "the ending")
    })
  ),
  check("terminal", "a new size is told at once", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const process = yield* start(
        sandbox,
        `trap 'stty size > sized' WINCH; echo > up; until grep -q "50 200" sized 2>/dev/null; do sleep 0.05; done; echo resized`,
        { terminal: size, input: true, timeoutMs: 60_000 }
      )
      yield* eventually("it stands", () => sizeOf(join(home.workspace, "up")) > 0)
      yield* process.resize(200, 50)
      const { ending, stdout } = yield* finish(process)
      yield* equals([lines(stdout), ending], [["resized"], { _tag: "Exited", code: 0 }], "what follows")
    })
  ),
  check("terminal", "Ctrl-C reaches the process in front, and not the shell behind it", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const process = yield* start(sandbox, ["sh", "-i"], {
        terminal: size,
        input: true,
        timeoutMs: 60_000,
        variables: { PS1: "$ " }
      })
      yield* process.write(Buffer.from("sh -c 'echo > front; exec sleep 600'\n"))
      yield* eventually("the process in front stands", () => sizeOf(join(home.workspace, "front")) > 0)
      yield* process.write(Buffer.from("\u0003"))
      yield* process.write(Buffer.from("echo alive > behind\n"))
      yield* eventually("the shell goes on", () => sizeOf(join(home.workspace, "behind")) > 0)
      yield* process.write(Buffer.from("exit 3\n"))
      yield* equals((yield* finish(process)).ending, { _tag: "Exited", code: 3 }, "the ending")
    })
  ),
  check("terminal", "a shell controls its jobs", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const process = yield* start(sandbox, ["sh", "-i"], {
        terminal: size,
        input: true,
        timeoutMs: 60_000,
        variables: { PS1: "$ " }
      })
      yield* process.write(Buffer.from("set -m; sleep 600 & kill -9 %1; wait; echo job-$((40 + 2)); exit\n"))
      const { stdout } = yield* finish(process)
      yield* holds(stdout.includes("job-42"), "a job is started and ended", stdout)
      yield* holds(!/no job control|can't access tty/.test(stdout), "the shell has its terminal", stdout)
    })
  ),
  check("terminal", "Ctrl-D is the end of input", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const process = yield* start(sandbox, "stty -echo; cat; echo ended", {
        terminal: size,
        input: true,
        timeoutMs: 60_000
      })
      yield* process.write(Buffer.from("typed\n\u0004"))
      const { stdout } = yield* finish(process)
      yield* holds(lines(stdout).includes("ended"), "cat ends and the shell goes on", stdout)
    })
  ),
  check("terminal", "a timeout ends a terminal too", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { ending } = yield* run(sandbox, "trap '' HUP INT TERM; sleep 600", { terminal: size, timeoutMs: 2_000 })
      yield* equals(ending, { _tag: "TimedOut", afterMs: 2_000 }, "the ending")
    })
  )
]
