import { lifecycle, opened } from "./evolve/lifecycle.ts"
import { queue } from "./evolve/queue.ts"
import { turns } from "./evolve/turns.ts"
import { work } from "./evolve/work.ts"
import type { SessionEvent } from "./SessionEvent.ts"
import { initial, type OpenSession, type SessionState } from "./SessionState.ts"

type Change = (session: OpenSession, event: SessionEvent) => OpenSession

/** Each group lists its events completely, by its type; reserved ones are in none and change nothing yet. */
const changes = new Map<string, Change>(
  Object.entries({ ...lifecycle, ...queue, ...turns, ...work } as Record<string, Change>)
)

/** What happened, applied to what was: pure and total. An event that does not fit changes nothing. */
export const evolve = (state: SessionState, event: SessionEvent): SessionState => {
  if (state._tag === "NotOpened") return event._tag === "SessionOpened" ? opened(event) : state
  return changes.get(event._tag)?.(state, event) ?? state
}

/** The state that a list of events leads to, from nothing or from an earlier state. */
export const fold = (events: Iterable<SessionEvent>, from: SessionState = initial): SessionState => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}
