import type { EventListQuery, SessionEvent } from "../types/events.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { CallOptions } from "../options.ts"
import { list } from "./list.ts"

/** A session, or one of its threads. */
export interface EventsOf {
  readonly sessionId: string
  readonly threadId?: string
}

const eventsPath = ({ sessionId, threadId }: EventsOf): string =>
  threadId === undefined
    ? path`/v1/sessions/${sessionId}/events`
    : path`/v1/sessions/${sessionId}/threads/${threadId}/events`

/** The path of a thread's stream is not below that of its events. */
export const streamPath = ({ sessionId, threadId }: EventsOf): string =>
  threadId === undefined
    ? path`/v1/sessions/${sessionId}/events/stream`
    : path`/v1/sessions/${sessionId}/threads/${threadId}/stream`

export const listEvents = (
  transport: Transport,
  of: EventsOf,
  query: EventListQuery = {},
  options: CallOptions = {}
): Pages<SessionEvent> => list<SessionEvent>(transport, eventsPath(of), query, options)
