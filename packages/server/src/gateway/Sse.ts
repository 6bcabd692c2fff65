import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Effect, type Scope } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"

const pingEveryMs = 15_000
const ping = `event: ping\ndata: {"type":"ping"}\n\n`

/** One event of a stream, as it is written. */
export const frame = (event: string, data: string, id?: string | number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`

export interface Wire {
  /** Passes once the other side has taken enough of it that more may come. */
  readonly write: (text: string) => Effect.Effect<void>
}

const drained = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    response.once("drain", done)
    response.once("close", done)
    return Effect.sync(() => {
      response.off("drain", done)
      response.off("close", done)
    })
  })

/**
 * Writes a stream of events straight to the socket: what is the same for all readers is encoded once, and nothing is
 * kept for one who does not read. Headers go out at once, so whoever has them misses nothing that comes later.
 */
export const serve = <E, R>(
  request: HttpServerRequest,
  requestId: string,
  produce: (wire: Wire) => Effect.Effect<void, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    // Answered as GET is, but for the body: an endless one would hold the connection for nothing.
    if (request.method === "HEAD") return HttpServerResponse.empty({ status: 200 })
    const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "request-id": requestId
    })
    response.flushHeaders()
    const write = (text: string) => Effect.suspend(() => (response.write(text) ? Effect.void : drained(response)))
    // A timer of the process's own: with a fiber for each, thousands of streams that rest would take many megabytes.
    const pings = setInterval(() => response.write(ping), pingEveryMs)
    const gone = Effect.callback<void>((resume) => {
      response.once("close", () => resume(Effect.void))
    })
    yield* Effect.raceFirst(produce({ write }), gone).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          clearInterval(pings)
          response.end()
        })
      )
    )
    return HttpServerResponse.empty()
  }).pipe(Effect.scoped) as never
