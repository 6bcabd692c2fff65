import { InvalidAnswerError } from "../errors.ts"
import { isRecord } from "../http/reading.ts"
import type { Transport } from "../http/Transport.ts"
import { defaults, type StreamOptions } from "../options.ts"
import { readSse } from "./sse.ts"

export type Received = Readonly<Record<string, unknown>> & { readonly type: string }

const pings = new Set(["ping"])

const parse = (data: string, requestId: string | null): Received => {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw new InvalidAnswerError("An event of the stream is not JSON", requestId, { cause })
  }
  if (!isRecord(value) || typeof value["type"] !== "string") {
    throw new InvalidAnswerError("An event of the stream has no type", requestId)
  }
  return value as Received
}

/** Opens one connection to a stream of the API. */
export const connect = async (
  transport: Transport,
  at: { readonly path: string; readonly query: object },
  options: StreamOptions,
  signal: AbortSignal,
  isFirst: boolean
) => {
  const { headers, heartbeatTimeout = defaults.heartbeatTimeout, maxRetries } = options
  const { requestId, response } = await transport.send(
    { method: "GET", ...at, accept: "text/event-stream" },
    { signal, headers, maxRetries: isFirst ? maxRetries : 0 },
    (opened) => Promise.resolve(opened)
  )
  const { body } = response
  if (body === null || !(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    await body?.cancel()
    throw new InvalidAnswerError("The server's answer is no stream", requestId)
  }
  const received = async function* (): AsyncGenerator<Received, void, undefined> {
    for await (const { data, event } of readSse(body, heartbeatTimeout, signal)) {
      if (!pings.has(event)) yield parse(data, requestId)
    }
  }
  return { response, received }
}
