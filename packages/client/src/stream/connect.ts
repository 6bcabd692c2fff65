import { InvalidAnswerError } from "../errors.ts"
import { isRecord } from "../http/reading.ts"
import type { Asked, Transport } from "../http/Transport.ts"
import { defaults, type StreamOptions } from "../options.ts"
import { readSse, type SseMessage } from "./sse.ts"

export interface Received {
  /** As the stream names it. */
  readonly event: string
  /** Its own, or the last one before it. */
  readonly id: string
  readonly value: Readonly<Record<string, unknown>> & { readonly type: string }
}

const parse = ({ data, event, id }: SseMessage, requestId: string | null): Received => {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw new InvalidAnswerError("An event of the stream is not JSON", requestId, { cause })
  }
  if (!isRecord(value)) throw new InvalidAnswerError("An event of the stream is no object", requestId)
  const type = typeof value["type"] === "string" ? value["type"] : event
  if (type === "") throw new InvalidAnswerError("An event of the stream has no type", requestId)
  return { event, id, value: { ...value, type } }
}

/** Opens one connection to a stream of the API. */
export const connect = async (
  transport: Transport,
  asked: Pick<Asked, "path" | "query" | "body"> & { readonly method?: Asked["method"] },
  options: StreamOptions,
  signal: AbortSignal,
  isFirst: boolean
) => {
  const { headers, heartbeatTimeout = defaults.heartbeatTimeout, maxRetries } = options
  const { requestId, response } = await transport.send(
    { method: "GET", ...asked, accept: "text/event-stream" },
    { signal, headers, maxRetries: isFirst ? maxRetries : 0 },
    (opened) => Promise.resolve(opened)
  )
  const { body } = response
  if (body === null || !(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    await body?.cancel()
    throw new InvalidAnswerError("The server's answer is no stream", requestId)
  }
  const received = async function* (): AsyncGenerator<Received, void, undefined> {
    for await (const message of readSse(body, heartbeatTimeout, signal)) {
      if (message.event !== "ping") yield parse(message, requestId)
    }
  }
  return { response, received }
}
