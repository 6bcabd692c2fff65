import { Effect } from "effect"
import { EventStore, StoreUnavailable } from "../../src/log/EventStore.ts"
import type { Prng } from "../../../../test/support/Prng.ts"

export interface Faults {
  /** Chances, per call: it fails before it is done, after it is done, or takes its time. */
  failBefore: number
  failAfter: number
  slow: number
  /** Somebody takes the next epoch just before an append. */
  theft: number
}

export const noFaults = (): Faults => ({ failBefore: 0, failAfter: 0, slow: 0, theft: 0 })

export type FaultCounts = Record<keyof Faults, number>

/** A store that fails before a write, after it (the answer is lost), dawdles, or loses its epoch to somebody. */
export const wrap = (store: EventStore["Service"], random: Prng, faults: Faults, counts: FaultCounts = noFaults()) => {
  const broken = (operation: string) => new StoreUnavailable({ operation, cause: new Error("injected") })
  const strikes = (kind: keyof Faults): boolean => {
    const struck = random.chance(faults[kind])
    if (struck) counts[kind]++
    return struck
  }
  const around =
    <A, E>(operation: string, writes: boolean) =>
    (effect: Effect.Effect<A, E | StoreUnavailable>): Effect.Effect<A, E | StoreUnavailable> =>
      Effect.gen(function* () {
        if (strikes("slow")) yield* Effect.sleep(random.int(3_000))
        if (strikes("failBefore")) return yield* broken(operation)
        const result = yield* effect
        if (writes && strikes("failAfter")) return yield* broken(operation)
        return result
      })
  return EventStore.of({
    ...store,
    head: (streamId) => store.head(streamId).pipe(around("head", false)),
    claim: (streamId) => store.claim(streamId).pipe(around("claim", true)),
    create: (options) => store.create(options).pipe(around("create", true)),
    read: (streamId, options) => store.read(streamId, options).pipe(around("read", false)),
    readToFold: (streamId, options) => store.readToFold(streamId, options).pipe(around("readToFold", false)),
    receipts: (streamId, ids) => store.receipts(streamId, ids).pipe(around("receipts", false)),
    snapshot: (streamId, version) => store.snapshot(streamId, version).pipe(around("snapshot", false)),
    restore: (streamId, options) => store.restore(streamId, options).pipe(around("restore", false)),
    saveSnapshot: (snapshot) => store.saveSnapshot(snapshot).pipe(around("saveSnapshot", true)),
    append: (append) =>
      Effect.suspend(() => (strikes("theft") ? Effect.ignore(store.claim(append.streamId)) : Effect.void)).pipe(
        Effect.andThen(store.append(append)),
        around("append", true)
      )
  })
}
