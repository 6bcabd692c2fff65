import { Effect } from "effect"
import { beating, run, start } from "./Bench.ts"
import { type Check, check, equals, holds } from "./Check.ts"

const size = { cpus: 1, memoryMb: 128, diskMb: 64, processes: 64 }

export const limits: ReadonlyArray<Check> = [
  check("memory", "who takes more memory than there is ends, and is told why", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size })
      // One line without end, which `tail` keeps whole.
      const { ending } = yield* run(sandbox, ["tail", "/dev/zero"])
      yield* bench.probe.limits.memory === "rlimit"
        ? holds(ending._tag === "Exited" && ending.code !== 0, "it fails", ending)
        : equals(ending, { _tag: "OutOfMemory" }, "the ending")
      yield* equals((yield* run(sandbox, "true")).ending, { _tag: "Exited", code: 0 }, "what runs after that")
    })
  ),
  check("processes", "a fork bomb takes what its sandbox has, and is ended", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size })
      const { ending } = yield* run(sandbox, "bomb() { bomb | bomb & }; bomb; sleep 600", { timeoutMs: 4_000 })
      // The shell itself may be refused its `sleep`.
      yield* holds(ending._tag === "TimedOut" || (ending._tag === "Exited" && ending.code !== 0), "it is ended", ending)
      yield* equals((yield* run(sandbox, "true")).ending, { _tag: "Exited", code: 0 }, "what runs after that")
    })
  ),
  check("processes", "there are no more processes than were given", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size })
      const { stdout } = yield* run(
        sandbox,
        "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i + 1)); echo $i; done 2>/dev/null"
      )
      const count = stdout.trim().split("\n").length
      yield* holds(count <= size.processes, `at most ${size.processes} were started`, count)
    })
  ),
  check("disk", "a file cannot grow over all bounds", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size })
      const { ending } = yield* run(sandbox, "exec head -c 4G /dev/zero > big")
      yield* equals(ending, { _tag: "OutOfDisk" }, "the ending")
    })
  ),
  check("disk", "many files together cannot either, and what is there can be deleted", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size })
      const { ending } = yield* run(
        sandbox,
        "i=0; while :; do i=$((i + 1)); head -c 4194304 /dev/zero > part-$i; sleep 0.02; done"
      )
      yield* equals(ending, { _tag: "OutOfDisk" }, "the ending")
      const cleaned = yield* run(sandbox, "rm part-* && sleep 2 && echo ok > small && cat small")
      yield* equals([cleaned.ending, cleaned.stdout], [{ _tag: "Exited", code: 0 }, "ok\n"], "cleaning up")
    })
  ),
  check("cpus", "two busy processes share the processor that was given", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make({ size: { ...size, cpus: 0.5 } })
      const spin = "(while :; do :; done) &"
      const now = "read now rest < /proc/uptime"
      const { stdout } = yield* run(
        sandbox,
        `${spin} a=$!; ${spin} b=$!; ${now}; echo $now; sleep 4; ${now}; kill -9 $a $b; wait; echo $now; cat /proc/$$/stat`
      )
      const [before = "", after = "", stat = ""] = stdout.trim().split("\n")
      const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      // Of its children, in user and system mode, in hundredths of a second.
      const used = (Number(ticks[13]) + Number(ticks[14])) / 100
      const wall = Number(after) - Number(before)
      yield* holds(used > 0 && used <= wall * 0.5 * 1.6, `they use half of ${wall} s`, used)
    })
  ),
  check("processes", "what one sandbox takes, another one has still", (bench) =>
    Effect.gen(function* () {
      const [one, other] = [yield* bench.make({ size }), yield* bench.make({ size })]
      yield* start(
        one.sandbox,
        `i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i + 1)); done 2>/dev/null; ${beating("beat")}`
      )
      const { ending } = yield* run(other.sandbox, "for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait")
      yield* equals(ending, { _tag: "Exited", code: 0 }, "the other one's process")
    })
  )
]
