import type { LogDelta, LogEvent } from "../types/events.ts"
import { InvalidAnswerError } from "../errors.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { connect, type Received } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"

export interface LogStreamOptions extends StreamOptions {
  /** The sequence number after which it begins: 0, which is the log's beginning, unless said otherwise. */
  readonly after?: number | undefined
  /** Only events of these types. */
  readonly types?: ReadonlyArray<LogEvent["type"]> | undefined
  /** Also parts of blocks that are still being written. Some may be missing; none is wrong. */
  readonly deltas?: boolean | undefined
}

export type Followed<Options> = Options extends { readonly deltas: true } ? LogEvent | LogDelta : LogEvent

const isLogEvent = (value: Received["value"]): boolean => Number.isSafeInteger(value["seq"])

/** The log of a session from any place on: what was, then what comes; each event once, in its order. */
export const logStream = <const Options extends LogStreamOptions>(
  transport: Transport,
  sessionId: string,
  options: Options
): Streaming<Followed<Options>> => {
  const at = path`/v1/sessions/${sessionId}/log/stream`
  let last = options.after ?? 0
  let isOver = false
  const followed = stream<LogEvent | LogDelta>({
    transport,
    options,
    connect: async (signal, isFirst) => {
      const query = { after: last, "types[]": options.types, deltas: options.deltas }
      const { received, response } = await connect(transport, { path: at, query }, options, signal, isFirst)
      const items = async function* (): AsyncGenerator<LogEvent | LogDelta, void, undefined> {
        for await (const { value } of received()) {
          if (value.type === "delta") {
            yield value as unknown as LogDelta
            continue
          }
          if (!isLogEvent(value)) throw new InvalidAnswerError("An event of the log has no number", null)
          const event = value as unknown as LogEvent
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
  return followed as Streaming<Followed<Options>>
}
