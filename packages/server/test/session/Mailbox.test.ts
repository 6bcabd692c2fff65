import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, References } from "effect"
import { Mailbox } from "../../src/session/Mailbox.ts"

const quiet = Context.make(References.MinimumLogLevel, "None")

/** A mailbox whose batches are noted, and end when they are let. */
const make = (takenMax = 3) => {
  const taken: Array<ReadonlyArray<string>> = []
  const gates: Array<Deferred.Deferred<void>> = []
  const mailbox = new Mailbox<string>(quiet, takenMax, (batch) => {
    taken.push(batch)
    if (batch.includes("broken")) throw new Error("broken")
    const gate = Deferred.makeUnsafe<void>()
    gates.push(gate)
    return Deferred.await(gate)
  })
  const finish = Effect.suspend(() => {
    Deferred.doneUnsafe(gates.shift()!, Effect.void)
    return turns
  })
  return { mailbox, taken, finish }
}

const turns = Effect.repeat(Effect.yieldNow, { times: 5 })

describe("A mailbox", () => {
  it.effect("takes along who comes in the same turn, in order and no more than it may", () =>
    Effect.gen(function* () {
      const { finish, mailbox, taken } = make()
      for (const one of ["a", "b", "c", "d"]) assert.isTrue(mailbox.offer(one))
      yield* turns
      assert.deepStrictEqual(taken, [["a", "b", "c"]])
      mailbox.offer("e")
      yield* finish
      assert.deepStrictEqual(taken, [
        ["a", "b", "c"],
        ["d", "e"]
      ])
      yield* finish
      mailbox.offer("f")
      yield* turns
      assert.deepStrictEqual(taken.at(-1), ["f"])
    })
  )

  it.effect("goes on after mail that breaks who handles it", () =>
    Effect.gen(function* () {
      const { mailbox, taken } = make(1)
      mailbox.offer("broken")
      mailbox.offer("whole")
      yield* turns
      assert.deepStrictEqual(taken, [["broken"], ["whole"]])
    })
  )

  it.effect("finishes what it took before it is closed, and hands back the rest", () =>
    Effect.gen(function* () {
      const { finish, mailbox, taken } = make(1)
      for (const one of ["a", "b", "c"]) mailbox.offer(one)
      yield* turns
      const closing = yield* Effect.forkChild(mailbox.close(), { startImmediately: true })
      yield* turns
      assert.isUndefined(closing.pollUnsafe())
      assert.isFalse(mailbox.offer("d"))
      yield* finish
      assert.deepStrictEqual(yield* Fiber.join(closing), ["b", "c"])
      assert.deepStrictEqual(taken, [["a"]])
    })
  )
})
