import { JsonPatch, Result } from "effect"
import type { Json } from "../Json.ts"
import type { LogUnreadable, Stored } from "../log/EventCodec.ts"
import * as Codec from "../session/Codec.ts"
import { evolve } from "../session/evolve.ts"
import type { SessionEvent } from "../session/SessionEvent.ts"
import { initial, type SessionState } from "../session/SessionState.ts"

/** The events of stored rows, or the first that can't be read. */
export const decodeAll = (
  rows: Iterable<Stored>,
  decode = Codec.decodeStrict
): Result.Result<ReadonlyArray<SessionEvent>, LogUnreadable> => {
  const events: Array<SessionEvent> = []
  for (const row of rows) {
    const event = decode(row)
    if (Result.isFailure(event)) return Result.fail(event.failure)
    events.push(event.success)
  }
  return Result.succeed(events)
}

/** The session as it stood after its event `seq`; `events` begin with the first, 0 is before it. */
export const stateAt = (events: ReadonlyArray<SessionEvent>, seq: number): SessionState =>
  foldOn(initial, events, 0, seq)

const foldOn = (from: SessionState, events: ReadonlyArray<SessionEvent>, after: number, seq: number): SessionState => {
  let state = from
  const end = Math.min(seq, events.length)
  for (let i = after; i < end; i++) state = evolve(state, events[i]!)
  return state
}

/** A state as plain JSON: what is undefined is absent. */
export const toJson = (state: SessionState): Json => JSON.parse(JSON.stringify(state))

/** What differs between two states, as RFC 6902 operations that lead from the first to the second. */
export const diff = (from: SessionState, to: SessionState): JsonPatch.JsonPatch =>
  JsonPatch.get(toJson(from), toJson(to))

/** What changed between two versions of a session, in either direction. */
export const stateDiff = (events: ReadonlyArray<SessionEvent>, from: number, to: number): JsonPatch.JsonPatch => {
  const [low, high] = from <= to ? [from, to] : [to, from]
  const early = stateAt(events, low)
  const late = foldOn(early, events, Math.max(0, low), high)
  return from <= to ? diff(early, late) : diff(late, early)
}
