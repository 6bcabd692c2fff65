import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { type Backoff, backoff } from "../../src/link/backoff.ts"

const capMs = 30_000

/** How long each of so many waits took. */
const waits = Effect.fnUntraced(function* (pause: Backoff, count: number) {
  const begun = yield* Clock.currentTimeMillis
  const waiting = yield* Effect.forkChild(
    Effect.forEach(Array(count).keys(), () => Effect.andThen(pause.wait, Clock.currentTimeMillis))
  )
  yield* TestClock.adjust(capMs * count)
  const ends = yield* Fiber.join(waiting)
  return ends.map((end, index) => end - (index === 0 ? begun : ends[index - 1]!))
})

describe("The waits of a runner that can't connect", () => {
  it.effect("grow to half a minute and no further, each at most three times the one before", () =>
    Effect.gen(function* () {
      const took = yield* waits(backoff(), 200)
      for (const [index, ms] of took.entries()) {
        assert.isAtLeast(ms, 200)
        assert.isAtMost(ms, Math.min(capMs, 3 * (index === 0 ? 200 : took[index - 1]!)))
      }
      assert.isAtMost(took[0]!, 600)
      assert.isAbove(Math.max(...took), capMs / 2)
    }).pipe(Random.withSeed("growth"))
  )

  it.effect("are out of step with those of others", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forEach(Array(100).keys(), () => Effect.map(waits(backoff(), 1), ([ms]) => ms!))
      assert.isAbove(new Set(first).size, 70)
      assert.isAbove(Math.max(...first) - Math.min(...first), 300)
    }).pipe(Random.withSeed("spread"))
  )

  it.effect("are long at once where nothing changes soon, and short again after a good connection", () =>
    Effect.gen(function* () {
      const pause = backoff()
      pause.slowDown()
      for (const ms of yield* waits(pause, 20)) {
        assert.isAtLeast(ms, capMs / 2)
        assert.isAtMost(ms, capMs)
      }
      pause.reset()
      assert.isAtMost((yield* waits(pause, 1))[0]!, 600)
    }).pipe(Random.withSeed("slow"))
  )
})
