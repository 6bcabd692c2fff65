import { type ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import type { SessionId } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { foldVersion, initial, type SessionState } from "@troupe/domain/session/SessionState"
import * as Snapshot from "@troupe/domain/session/Snapshot"
import { Context, Effect, Layer, Option, Result, Semaphore } from "effect"
import { unreadableCode } from "../sessions/SessionCalls.ts"
import { EventStore, type Head, type StoreUnavailable } from "../log/EventStore.ts"
import { sha256 } from "../log/sha256.ts"
import { foldOn, readEvent } from "../session/reading.ts"

/** A session as it stood after an event. */
export interface Folded {
  readonly seq: number
  readonly state: SessionState
}

/** How many events one request has folded, verified or looked through. Longer logs are exported and looked into elsewhere. */
export const eventsMax = 200_000
/** How many such requests a node works on at a time: others wait. */
const atOnce = 2
const pageSize = 1_000

type Failure = ApiFailure | StoreUnavailable

/** What sessions were, read from their logs. It wakes none of them. */
export class Folds extends Context.Service<
  Folds,
  {
    readonly head: (sessionId: SessionId) => Effect.Effect<Head, Failure>
    /** As it stood after `seq`: from the snapshot, where there is one that is not later; else from the beginning. */
    readonly at: (sessionId: SessionId, seq: number) => Effect.Effect<Folded, Failure>
    /** Goes on from there. */
    readonly onTo: (sessionId: SessionId, from: Folded, seq: number) => Effect.Effect<Folded, Failure>
    /** Every event up to one, page by page. */
    readonly each: (
      sessionId: SessionId,
      upto: number,
      take: (page: ReadonlyArray<Recorded>) => void
    ) => Effect.Effect<void, Failure>
    /** Long work takes turns, so that it leaves the node to others. */
    readonly inTurn: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("server/Folds") {
  static readonly layer: Layer.Layer<Folds, never, EventStore> = Layer.effect(
    Folds,
    Effect.suspend(() => make)
  )
}

const tooFar = (events: number) =>
  invalid(
    `This takes ${events} events of the log, and a request may take ${eventsMax}; export the session instead`,
    "log_too_long"
  )

const unreadable = (seq: number) => invalid(`The log can't be read at ${seq} by this release`, unreadableCode)

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const turns = Semaphore.makeUnsafe(atOnce)

  const head: Folds["Service"]["head"] = Effect.fn("Folds.head")(function* (sessionId) {
    const found = yield* store.head(sessionId)
    return Option.isSome(found) ? found.value : yield* invalid(`Session ${sessionId} has no log`)
  })

  const onTo: Folds["Service"]["onTo"] = Effect.fn("Folds.onTo")(function* (sessionId, from, seq) {
    if (seq - from.seq > eventsMax) return yield* tooFar(seq - from.seq)
    let { seq: at, state } = from
    while (at < seq) {
      const page = yield* store.readToFold(sessionId, { after: at, limit: Math.min(pageSize, seq - at) })
      if (page.length === 0) return yield* invalid(`The log ends at ${at}`)
      for (const stored of page) {
        if (stored.seq !== at + 1) return yield* unreadable(at + 1)
        const next = foldOn(state, stored, readEvent(stored))
        if (Result.isFailure(next)) return yield* unreadable(at + 1)
        state = next.success
        at = stored.seq
      }
    }
    return { seq, state }
  })

  const base = Effect.fnUntraced(function* (sessionId: SessionId, seq: number) {
    const beginning: Folded = { seq: 0, state: initial }
    const found = yield* store.snapshot(sessionId, foldVersion)
    if (Option.isNone(found) || found.value.version > seq) return beginning
    const state = Snapshot.read(sha256, found.value.version, found.value.state)
    return state === undefined ? beginning : { seq: found.value.version, state }
  })

  const at: Folds["Service"]["at"] = Effect.fn("Folds.at")(function* (sessionId, seq) {
    return yield* onTo(sessionId, yield* base(sessionId, seq), seq)
  })

  const each: Folds["Service"]["each"] = Effect.fn("Folds.each")(function* (sessionId, upto, take) {
    if (upto > eventsMax) return yield* tooFar(upto)
    for (let after = 0; after < upto;) {
      const page = yield* store.read(sessionId, { after, limit: Math.min(pageSize, upto - after) })
      if (page.length === 0) return
      take(page)
      after = page.at(-1)!.seq
    }
  })

  return Folds.of({ head, at, onTo, each, inTurn: turns.withPermits(1) })
})
