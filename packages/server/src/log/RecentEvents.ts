import type { SessionId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Context, Layer } from "effect"
import { Remembered } from "./Remembered.ts"

/** An event as it was written here, before anybody had to read it. */
export interface RecentEvent {
  readonly seq: number
  readonly event: SessionEvent
  /** Of its payload, in characters. */
  readonly size: number
}

interface Recent {
  readonly events: ReadonlyArray<RecentEvent>
  readonly size: number
}

const sessionsMax = 10_000
const sizeMax = 16_777_216
/** Of one session: more than a turn mostly writes, for whoever goes on from where the one before ended. */
const eventsMax = 128
const ownSizeMax = 262_144

const redacting = new Set<string>(["RedactionRequested", "RedactionApplied"] satisfies ReadonlyArray<
  SessionEvent["_tag"]
>)

/** The last of them, as many as may be kept. */
const newest = (events: ReadonlyArray<RecentEvent>): Recent => {
  let size = 0
  let first = events.length
  while (first > 0 && events.length - first < eventsMax && size + events[first - 1]!.size <= ownSizeMax) {
    size += events[--first]!.size
  }
  return { events: events.slice(first), size }
}

export interface Recents {
  /** These were committed, one after the other. */
  readonly note: (sessionId: SessionId, events: ReadonlyArray<RecentEvent>) => void
  /** All of the log after `after` and up to `upto`; null where not all of it is known here. */
  readonly between: (sessionId: SessionId, after: number, upto: number) => ReadonlyArray<RecentEvent> | null
}

/**
 * The last events that sessions of this node wrote. Whoever folds a log on from where it was a turn ago finds them here, and
 * need neither ask the database nor decode what it says. An event at its place in a log never changes, so what is known here
 * holds whoever owns the session by now.
 */
export const RecentEvents = Context.Reference<Recents>("server/RecentEvents", {
  defaultValue: () => ({ note: () => undefined, between: () => null })
})

export const make = (): Recents => {
  const sessions = new Remembered<Recent>(sessionsMax, sizeMax)
  return {
    note: (sessionId, events) => {
      const before = sessions.take(sessionId)
      // What is taken out of the log is kept here no longer either.
      if (events.some(({ event }) => redacting.has(event._tag))) return
      const last = before?.events.at(-1)
      const isNext = last !== undefined && last.seq + 1 === events[0]?.seq
      const kept = newest(isNext ? [...before!.events, ...events] : events)
      if (kept.events.length > 0) sessions.keep(sessionId, kept)
    },
    between: (sessionId, after, upto) => {
      const known = sessions.peek(sessionId)
      const first = known?.events[0]?.seq
      const last = known?.events.at(-1)?.seq
      if (known === undefined || first === undefined || last === undefined) return null
      if (after + 1 < first || upto > last) return null
      return known.events.slice(after + 1 - first, upto + 1 - first)
    }
  }
}

export const layer = Layer.sync(RecentEvents, make)
