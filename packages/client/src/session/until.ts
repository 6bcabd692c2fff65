import { SessionEndedError } from "../errors.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { listEvents } from "../resources/listEvents.ts"
import { liveEvents } from "../stream/liveEvents.ts"
import type { EventOf, StreamedEvent } from "../types/events.ts"

const statusEvents = {
  idle: "session.status_idle",
  running: "session.status_running",
  rescheduling: "session.status_rescheduled",
  terminated: "session.status_terminated"
} as const

export type UntilStatus = keyof typeof statusEvents
/** The event by which a session says that it has this status. */
export type StatusEvent<S extends UntilStatus> = EventOf<(typeof statusEvents)[S]>

const ended: Readonly<Record<string, string>> = {
  "session.status_terminated": "has ended",
  "session.deleted": "was deleted"
}

/** Waits until a session has a status, or has it already. Who sent something before waits for what comes of that. */
export const until = async <S extends UntilStatus>(
  transport: Transport,
  sessionId: string,
  status: S,
  options: StreamOptions = {}
): Promise<StatusEvent<S>> => {
  const wanted = statusEvents[status]
  const take = (event: StreamedEvent): StatusEvent<S> | null => {
    if (event.type === wanted) return event as StatusEvent<S>
    const how = ended[event.type]
    if (how !== undefined) throw new SessionEndedError(sessionId, how)
    return null
  }
  // The stream stands before the list is asked for, so that nothing happens between the two.
  await using events = await liveEvents(transport, { sessionId }, options)
  const now = { order: "desc", limit: 1, "types[]": Object.values(statusEvents) } as const
  const { headers, maxRetries, signal } = options
  const [latest] = (await listEvents(transport, { sessionId }, now, { headers, maxRetries, signal })).data
  const already = latest === undefined ? null : take(latest)
  if (already !== null) return already
  for await (const event of events) {
    const reached = take(event)
    if (reached !== null) return reached
  }
  throw new SessionEndedError(sessionId, "was deleted")
}
