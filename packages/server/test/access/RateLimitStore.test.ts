import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Result } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { grantOf } from "../../src/access/RateLimitStore.ts"
import * as RateLimitStore from "../../src/access/RateLimitStore.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** The limiter of one node more. */
const node = Effect.map(
  Layer.build(Layer.fresh(RateLimiter.layer.pipe(Layer.provide(RateLimitStore.layer)))),
  (context) => Context.get(context, RateLimiter.RateLimiter)
)

const passes = (limiter: RateLimiter.RateLimiter, key: string, limit: number, window: number) =>
  Effect.map(Effect.result(limiter.consume({ key, limit, window })), Result.isSuccess)

describe("a limit of all nodes together", { timeout: 120_000 }, () => {
  it.live("is passed by nobody, however the requests are spread", () =>
    Effect.gen(function* () {
      const nodes = [yield* node, yield* node, yield* node]
      for (const limit of [1, 7, 100, 1_000]) {
        const asked = Array.from({ length: limit * 3 }, (_, n) => passes(nodes[n % 3]!, `k${limit}`, limit, 3_600_000))
        const passed = (yield* Effect.all(asked, { concurrency: 64 })).filter(Boolean).length
        assert.isAtMost(passed, limit)
        // What a node took and did not use is lost to the others: a portion each.
        assert.isAtLeast(passed, limit - 2 * Math.floor(limit / 50))
        for (const one of nodes) assert.isFalse(yield* passes(one, `k${limit}`, limit, 3_600_000))
      }
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layerApp().pipe(Layer.provide(TestDatabase.layer()))))
  )

  it.live("begins anew with its window, and is each key's own", () =>
    Effect.gen(function* () {
      const limiter = yield* node
      const long = 3_600_000
      assert.isTrue(yield* passes(limiter, "a", 1, long))
      assert.isFalse(yield* passes(limiter, "a", 1, long))
      assert.isTrue(yield* passes(limiter, "b", 1, long))
      assert.isTrue(yield* passes(limiter, "short", 1, 200))
      while (!(yield* passes(limiter, "short", 1, 200))) yield* Effect.sleep(20)
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layerApp().pipe(Layer.provide(TestDatabase.layer()))))
  )

  it("grants what is left of it", () => {
    assert.strictEqual(grantOf(100, 10, 10), 10)
    assert.strictEqual(grantOf(100, 10, 105), 5)
    assert.strictEqual(grantOf(100, 10, 200), 0)
  })
})
