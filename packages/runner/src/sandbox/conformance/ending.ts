import { Effect, Exit, Scope } from "effect"
import { join } from "node:path"
import { beating, eventually, finish, readHost, run, sizeOf, start, stopsBeating, writeHost } from "./Bench.ts"
import { type Check, check, equals, holds, refusal } from "./Check.ts"

/** Leaves its parents, its group and its session, as daemons do. */
const daemon = (script: string) => `(setsid sh -c '${script}' >/dev/null 2>&1 </dev/null &)`

export const ending: ReadonlyArray<Check> = [
  check("running", "a timeout ends the whole tree", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const { ending, stdout } = yield* run(sandbox, `${daemon(beating("beat"))}; echo begun; sleep 600 | sleep 600`, {
        timeoutMs: 3_000
      })
      yield* equals(ending, { _tag: "TimedOut", afterMs: 3_000 }, "the ending")
      yield* equals(stdout, "begun\n", "what was said before")
      yield* holds(sizeOf(join(home.workspace, "beat")) > 0, "the daemon had begun")
      yield* stopsBeating(join(home.workspace, "beat"))
    })
  ),
  check("running", "what a process leaves behind does not outlive it", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const wait = "until [ -s beat ]; do sleep 0.02; done"
      const { ending } = yield* run(sandbox, `${daemon(beating("beat"))}; ${wait}; exit 7`)
      yield* equals(ending, { _tag: "Exited", code: 7 }, "the ending")
      yield* stopsBeating(join(home.workspace, "beat"))
    })
  ),
  check("running", "the end of its scope ends the process and all it started", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const beat = join(home.workspace, "beat")
      const scope = yield* Scope.make()
      const process = yield* Scope.provide(start(sandbox, `${daemon(beating("beat"))}; sleep 600`), scope)
      yield* eventually("the daemon had begun", () => sizeOf(beat) > 0)
      yield* Scope.close(scope, Exit.void)
      yield* stopsBeating(beat)
      yield* equals((yield* process.ending)._tag, "Killed", "the ending")
    })
  ),
  check("running", "destroying the sandbox ends everything, and nothing runs there again", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      yield* Effect.sync(() => writeHost(home.workspace, "work", "stays"))
      const processes = yield* Effect.forEach([1, 2], (n) =>
        start(sandbox, `${daemon(beating(`beat-${n}`))}; sleep 600`)
      )
      for (const n of [1, 2])
        yield* eventually("the daemon had begun", () => sizeOf(join(home.workspace, `beat-${n}`)) > 0)
      yield* sandbox.destroy
      for (const process of processes) yield* equals((yield* process.ending)._tag, "Killed", "the ending")
      for (const n of [1, 2]) yield* stopsBeating(join(home.workspace, `beat-${n}`))
      yield* equals(readHost(home.workspace, "work"), "stays", "a file of the workspace")
      const again = yield* refusal(Effect.scoped(start(sandbox, "true")))
      yield* equals(again.reason._tag, "Gone", "another process")
      const resumed = yield* refusal(bench.backend.resume(sandbox.spec))
      yield* equals(resumed.reason._tag, "Gone", "resuming it")
    })
  ),
  check("running", "destroying twice does no harm", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* Effect.all([sandbox.destroy, sandbox.destroy], { concurrency: "unbounded" })
    })
  ),
  check("running", "a sandbox is resumed with its files", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* run(sandbox, "echo here > kept")
      const again = yield* bench.backend.resume(sandbox.spec)
      yield* equals((yield* run(again, "cat kept")).stdout, "here\n", "what was left")
      yield* again.destroy
    })
  ),
  check("running", "a signal reaches the process and its children", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const trapping = (name: string, last: string) =>
        `trap "echo > got-${name}; ${last}; exit 0" TERM; echo > up-${name}; while :; do sleep 0.05; done`
      const process = yield* start(sandbox, `sh -c '${trapping("child", "true")}' & ${trapping("parent", "wait")}`)
      for (const name of ["child", "parent"]) {
        yield* eventually(`the ${name} stands`, () => sizeOf(join(home.workspace, `up-${name}`)) > 0)
      }
      yield* process.signal("SIGTERM")
      yield* equals((yield* finish(process)).ending, { _tag: "Exited", code: 0 }, "the ending")
      yield* eventually("the child was told", () => sizeOf(join(home.workspace, "got-child")) > 0)
      yield* eventually("the parent was told", () => sizeOf(join(home.workspace, "got-parent")) > 0)
    })
  ),
  check("running", "SIGKILL cannot be refused", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const process = yield* start(sandbox, `trap "" TERM INT; ${beating("beat")}`)
      yield* eventually("it had begun", () => sizeOf(join(home.workspace, "beat")) > 0)
      yield* process.signal("SIGTERM")
      yield* process.signal("SIGKILL")
      yield* equals(yield* process.ending, { _tag: "Signalled", signal: "SIGKILL" }, "the ending")
      yield* stopsBeating(join(home.workspace, "beat"))
    })
  )
]
