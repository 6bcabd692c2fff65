import { idempotencyKey } from "../http/idempotencyKey.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { MessageContent, StreamedEvent } from "../types/events.ts"
import { connect } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"
import type { EventStreamOptions } from "./liveEvents.ts"

const last: ReadonlySet<string> = new Set(["session.status_idle", "session.status_terminated", "session.deleted"])

/** What comes of a message. Under one key every connection brings the same events, of which none is given out twice. */
export const answerStream = (
  transport: Transport,
  sessionId: string,
  content: MessageContent,
  options: EventStreamOptions = {}
): Streaming<StreamedEvent> => {
  const query = options.deltas === true ? { "event_deltas[]": ["agent.message"] } : {}
  const asked = { method: "POST", path: path`/v1/sessions/${sessionId}/messages`, query, body: { content } } as const
  const keyed = { ...options, headers: { ...options.headers, "idempotency-key": idempotencyKey() } }
  const seen = new Set<string>()
  let isOver = false
  return stream({
    transport,
    options,
    connect: async (signal, isFirst) => {
      const { received, response } = await connect(transport, asked, keyed, signal, isFirst)
      const items = async function* (): AsyncGenerator<StreamedEvent, void, undefined> {
        for await (const { value } of received()) {
          const event = value as unknown as StreamedEvent
          isOver ||= last.has(event.type)
          if ("id" in event && seen.has(event.id)) continue
          if ("id" in event) seen.add(event.id)
          yield event
        }
      }
      return { items: items(), isOver: () => isOver, response }
    }
  })
}
