import { Effect, Latch } from "effect"
import { EventStore, StoreUnavailable, type Append } from "../../src/log/EventStore.ts"

type Failing = "append" | "claim" | "head" | "read" | "receipts"

/** A store whose calls a test counts, holds and fails one by one. */
export const wrap = (store: EventStore["Service"]) => {
  const gate = Latch.makeUnsafe(true)
  const appends: Array<Append> = []
  const calls = { claim: 0, read: 0, receipts: 0 }
  const readAfter: Array<number> = []
  const failures: Array<{ readonly operation: Failing; readonly when: "before" | "after" }> = []

  const may = <A, E>(operation: Failing, effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreUnavailable> =>
    Effect.gen(function* () {
      const index = failures.findIndex((one) => one.operation === operation)
      const failure = index < 0 ? undefined : failures.splice(index, 1)[0]
      const lost = new StoreUnavailable({ operation, cause: new Error("injected") })
      if (failure?.when === "before") return yield* lost
      const result = yield* effect
      if (failure?.when === "after") return yield* lost
      return result
    })

  const held: EventStore["Service"] = {
    ...store,
    head: (streamId) => may("head", store.head(streamId)),
    claim: (streamId) =>
      Effect.suspend(() => {
        calls.claim++
        return may("claim", store.claim(streamId))
      }),
    readToFold: (streamId, options) =>
      Effect.suspend(() => {
        calls.read++
        readAfter.push(options.after)
        return may("read", store.readToFold(streamId, options))
      }),
    receipts: (streamId, ids) =>
      Effect.suspend(() => {
        calls.receipts++
        return may("receipts", store.receipts(streamId, ids))
      }),
    append: (append) =>
      Effect.suspend(() => {
        appends.push(append)
        return Effect.andThen(gate.await, may("append", store.append(append)))
      })
  }

  return {
    store: held,
    appends,
    calls,
    readAfter,
    /** Appends wait until they are released. */
    hold: () => gate.closeUnsafe(),
    release: () => gate.openUnsafe(),
    /** The next calls of this kind fail: before they are done, or after it. */
    fail: (operation: Failing, when: "before" | "after", times = 1) => {
      for (let i = 0; i < times; i++) failures.push({ operation, when })
    }
  }
}
