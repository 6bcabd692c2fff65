import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import * as Together from "../src/Together.ts"

/** Questions that are answered when the test says so. */
const asked = Effect.gen(function* () {
  const questions: Array<{
    readonly keys: ReadonlyArray<string>
    readonly answer: Deferred.Deferred<ReadonlyMap<string, string>, string>
  }> = []
  const ask = (keys: ReadonlyArray<string>) => {
    const answer = Deferred.makeUnsafe<ReadonlyMap<string, string>, string>()
    questions.push({ keys, answer })
    return Deferred.await(answer)
  }
  const one = yield* Together.make(ask, { underWayMax: 1, keysMax: 3 })
  const settle = (at: number, found: ReadonlyArray<string>) =>
    Deferred.succeed(questions[at]!.answer, new Map(found.map((key) => [key, `${key}!`])))
  /** So many ask, and have come as far as they can. */
  const many = (...keys: ReadonlyArray<string>) =>
    Effect.tap(
      Effect.forEach(keys, (key) => Effect.forkChild(one(key))),
      () => Effect.repeat(Effect.yieldNow, { times: 5 })
    )
  const asks = () => questions.map(({ keys }) => keys)
  return { questions, settle, many, asks }
})

describe("those who ask together", () => {
  it.effect("are answered by what was asked after they came, each key once", () =>
    Effect.gen(function* () {
      const { asks, many, settle } = yield* asked
      const first = yield* many("a")
      const rest = yield* many("a", "b", ...Array.from({ length: 100 }, () => "c"), "d")
      assert.deepStrictEqual(asks(), [["a"]])
      yield* settle(0, ["a"])
      assert.deepStrictEqual(yield* Fiber.join(first[0]!), Option.some("a!"))
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      assert.deepStrictEqual(asks(), [["a"], ["a", "b", "c"]])
      yield* settle(1, ["a", "c"])
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      yield* settle(2, ["d"])
      const answers = (yield* Effect.forEach(rest, Fiber.join)).map(Option.getOrNull)
      assert.deepStrictEqual(answers, ["a!", null, ...Array.from({ length: 100 }, () => "c!"), "d!"])
      assert.deepStrictEqual(asks(), [["a"], ["a", "b", "c"], ["d"]])
    })
  )

  it.effect("fail with their question alone, and wait on when another of them goes", () =>
    Effect.gen(function* () {
      const { many, questions, settle } = yield* asked
      const [fails] = yield* many("a")
      const [goes, stays] = yield* many("b", "b")
      yield* Fiber.interrupt(goes!)
      yield* Deferred.fail(questions[0]!.answer, "away")
      assert.strictEqual(yield* Effect.flip(Fiber.join(fails!)), "away")
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      yield* settle(1, ["b"])
      assert.deepStrictEqual(yield* Fiber.join(stays!), Option.some("b!"))
      const [later] = yield* many("b")
      yield* settle(2, [])
      assert.deepStrictEqual(yield* Fiber.join(later!), Option.none())
    })
  )
})
