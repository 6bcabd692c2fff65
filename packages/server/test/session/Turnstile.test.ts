import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Turnstile } from "../../src/session/Turnstile.ts"

const busy = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe("those who pass a turnstile", () => {
  it.live("go in the order in which they came, and leave the process to others in between", () =>
    Effect.gen(function* () {
      const turnstile = new Turnstile()
      const passed: Array<number> = []
      let turns = 0
      const seen = new Set<number>()
      const count = () => {
        turns++
        if (passed.length < 20) setImmediate(count)
      }
      const all = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 20 }, (_, n) =>
            Effect.andThen(
              turnstile.pass,
              Effect.sync(() => {
                busy(2)
                passed.push(n)
                seen.add(turns)
              })
            )
          ),
          { concurrency: "unbounded" }
        )
      )
      setImmediate(count)
      yield* Fiber.join(all)
      assert.deepStrictEqual(
        passed,
        Array.from({ length: 20 }, (_, n) => n)
      )
      // Each took longer than a slice, so each had a turn of its own.
      assert.strictEqual(seen.size, 20)
    })
  )

  it.live("are forgotten when they are gone", () =>
    Effect.gen(function* () {
      const turnstile = new Turnstile()
      const gone = yield* Effect.forkChild(turnstile.pass, { startImmediately: true })
      yield* Fiber.interrupt(gone)
      yield* turnstile.pass
    })
  )
})
