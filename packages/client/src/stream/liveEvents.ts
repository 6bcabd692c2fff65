import type { SessionEvent, StreamedEvent } from "../types/events.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { type EventsOf, listEvents, streamPath } from "../resources/listEvents.ts"
import { connect } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"

export interface EventStreamOptions extends StreamOptions {
  /** Also parts of messages that are still being written, as `event_start` and `event_delta`. */
  readonly deltas?: boolean | undefined
}

const always = "9999-12-31T00:00:00Z"
const never = "1970-01-01T00:00:00.000000Z"

/** How far events were seen: all before a time, and some of that time. */
class Seen {
  #time: string
  #ids: Set<string> | null = null

  constructor(time: string) {
    this.#time = time
  }

  /** What may have been missed. One event of the log may be shown as several, of one time. */
  get missed(): object {
    return { [this.#ids === null ? "created_at[gt]" : "created_at[gte]"]: this.#time }
  }

  isNew({ id, processed_at: time }: SessionEvent): boolean {
    if (time === null) return true
    if (time < this.#time || (time === this.#time && (this.#ids === null || this.#ids.has(id)))) return false
    if (time > this.#time) this.#ids = new Set()
    this.#time = time
    this.#ids!.add(id)
    return true
  }
}

const isDelta = (event: StreamedEvent): boolean => event.type === "event_start" || event.type === "event_delta"

/** What a session or a thread shows from now on, each event once: what was missed between two connections is fetched from the list. */
export const liveEvents = (
  transport: Transport,
  of: EventsOf,
  options: EventStreamOptions = {}
): Streaming<StreamedEvent> => {
  const at = streamPath(of)
  const query = options.deltas === true ? { "event_deltas[]": ["agent.message"] } : {}
  let seen: Seen | null = null
  let isOver = false

  const latest = async (signal: AbortSignal) => {
    const newest = { order: "desc", limit: 1, "created_at[lte]": always } as const
    const { headers, maxRetries } = options
    const [event] = (await listEvents(transport, of, newest, { signal, headers, maxRetries })).data
    return new Seen(event?.processed_at ?? never)
  }

  return stream({
    transport,
    options,
    connect: async (signal, isFirst) => {
      const before = (seen ??= await latest(signal))
      const { received, response } = await connect(transport, { path: at, query }, options, signal, isFirst)
      const items = async function* (): AsyncGenerator<StreamedEvent, void, undefined> {
        if (!isFirst) {
          const { headers } = options
          const missed = listEvents(transport, of, before.missed, { signal, headers })
          for await (const event of missed) if (before.isNew(event)) yield event
        }
        for await (const { value } of received()) {
          const event = value as unknown as StreamedEvent
          if (!isDelta(event) && !before.isNew(event as SessionEvent)) continue
          isOver = event.type === "session.deleted"
          yield event
          if (isOver) return
        }
      }
      return { items: items(), isOver: () => isOver, response }
    }
  })
}
