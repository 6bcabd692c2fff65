import type { LogEvent } from "../types/events.ts"
import { InvalidAnswerError } from "../errors.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { connect, type Received } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"

export interface LogStreamOptions extends StreamOptions {
  /** The sequence number after which it begins: 0, which is the log's beginning, unless said otherwise. */
  readonly after?: number | undefined
}

const isLogEvent = (received: Received): boolean => Number.isSafeInteger(received["seq"])

/** The log of a session from any place on: what was, then what comes; each event once, in its order. */
export const logStream = (
  transport: Transport,
  sessionId: string,
  options: LogStreamOptions = {}
): Streaming<LogEvent> => {
  const at = path`/v1/sessions/${sessionId}/log/stream`
  let last = options.after ?? 0
  let isOver = false
  return stream({
    logger: transport.logger,
    signal: options.signal,
    connect: async (signal, isFirst) => {
      const query = { after: last }
      const { received, response } = await connect(transport, { path: at, query }, options, signal, isFirst)
      const items = async function* (): AsyncGenerator<LogEvent, void, undefined> {
        for await (const one of received()) {
          if (!isLogEvent(one)) throw new InvalidAnswerError("An event of the log has no number", null)
          const event = one as unknown as LogEvent
          if (event.seq <= last) continue
          last = event.seq
          isOver = event.type === "SessionDeleted"
          yield event
          if (isOver) return
        }
      }
      return { items: items(), isOver: () => isOver, response }
    }
  })
}
