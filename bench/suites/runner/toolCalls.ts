import { Effect, Exit, Scope, Stream } from "effect"
import { bubblewrap } from "../../../packages/runner/src/sandbox/Bubblewrap.ts"
import { gatewayOf, placeOn, tool } from "../../../packages/runner/test/tools/world.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const unit = "ms"

/**
 * The median of how long one takes, over a while of them, less what of it is not meant: noise that meets both the whole
 * and the part is gone from the difference, which it would not be from two measurements.
 */
const median =
  (once: () => Promise<unknown>, less: () => number = () => 0) =>
  async (ms: number) => {
    const took: Array<number> = []
    for (const end = performance.now() + ms; performance.now() < end || took.length < 3;) {
      const from = performance.now()
      await once()
      took.push(performance.now() - from - less())
    }
    return spread(took).median
  }

const run = async ({ plan, say }: Context): Promise<ReadonlyArray<Result>> => {
  const scope = Effect.runSync(Scope.make())
  try {
    const { place } = await Effect.runPromise(placeOn(bubblewrap()).pipe(Scope.provide(scope)))
    const exec = Effect.scoped(
      Effect.gen(function* () {
        const process = yield* place.exec({ command: ["true"] })
        yield* Stream.runDrain(process.output)
        return yield* process.ending
      })
    )
    const content = [{ type: "text", text: "done" }] as const
    let insideMs = 0
    const timed = Effect.gen(function* () {
      const from = performance.now()
      yield* Effect.orDie(exec)
      insideMs = performance.now() - from
      return { content }
    })
    const others = [tool({ name: "runs_true", readOnly: true }, { run: () => timed })]
    // Frames are in the log as soon as they are said: what a commit costs is the store's.
    const { call } = gatewayOf({ place, others })
    await Effect.runPromise(call("write", { file_path: "a.txt", content: "a line\n".repeat(200) }))
    const sides = [
      { name: "exec", measure: median(() => Effect.runPromise(exec)) },
      {
        name: "over",
        measure: median(
          () => Effect.runPromise(call("runs_true", {})),
          () => insideMs
        )
      },
      { name: "bash", measure: median(() => Effect.runPromise(call("bash", { command: "true" }))) },
      { name: "read", measure: median(() => Effect.runPromise(call("read", { file_path: "a.txt" }))) }
    ]
    const values = await interleave(sides, plan, say)
    const bare = values.get("exec")!
    const own = "the sandbox's own exec"
    return [
      bounded({ id: "P12", metric: "read-only call over the sandbox's own cost", unit }, values.get("over")!, {
        atMost: 1.5
      }),
      compared({ id: "P12", metric: "bash call in the session's shell", unit }, values.get("bash")!, own, bare, {
        atMost: 1
      }),
      bounded({ id: "P12", metric: "read of a file of 200 lines", unit }, values.get("read")!, { atMost: 1.5 })
    ]
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

export const toolCalls: Bench = { id: "P12", about: "a tool call", run }
