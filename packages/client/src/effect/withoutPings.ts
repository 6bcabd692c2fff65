import { Effect, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"

const isPing = (message: string): boolean => /^event: ?ping$/m.test(message)

/** Whole messages, and what is not whole yet. */
const cut = (rest: string, text: string) => {
  const parts = (rest + text).split("\n\n")
  const unfinished = parts.pop()!
  return [unfinished, parts.filter((message) => !isPing(message)).map((message) => `${message}\n\n`)] as const
}

const filtered = (response: HttpClientResponse.HttpClientResponse) => {
  const body = response.stream.pipe(
    Stream.decodeText(),
    Stream.mapAccum(() => "", cut),
    Stream.encodeText
  )
  const { headers, status } = response
  return HttpClientResponse.fromWeb(
    response.request,
    new Response(Stream.toReadableStream(body), { status, headers: { ...headers } })
  )
}

const isStream = ({ headers }: HttpClientResponse.HttpClientResponse): boolean =>
  (headers["content-type"] ?? "").startsWith("text/event-stream")

/** Heartbeats say that a connection lives; they are no events of the contract, and would not be read as one. */
export const withoutPings = HttpClient.transformResponse(
  Effect.map((response: HttpClientResponse.HttpClientResponse) => (isStream(response) ? filtered(response) : response))
)
