import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Context, Effect } from "effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"
import { Callers } from "./Callers.ts"
import { drained } from "./drained.ts"

const pingEveryMs = 15_000
const ping = `event: ping\ndata: {"type":"ping"}\n\n`

/** One event of a stream, as it is written. */
export const frame = (event: string, data: string, id?: string | number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`

export interface Wire {
  /** Passes once the other side has taken enough of it that more may come. */
  readonly write: (text: string) => Effect.Effect<void>
}

const begin = (request: HttpServerRequest, requestId: string): ServerResponse => {
  const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "request-id": requestId
  })
  response.flushHeaders()
  return response
}

const wireOf = (response: ServerResponse): Wire => ({
  write: (text) => Effect.suspend(() => (response.write(text) ? Effect.void : drained(response)))
})

/** By a timer of the process's own: with a fiber for each, thousands of streams that rest would take many megabytes. */
const pinging = (response: ServerResponse) => setInterval(() => response.write(ping), pingEveryMs)

/** Answered as GET is, but for the body: an endless one would hold the connection for nothing. */
const asksForHead = ({ method }: HttpServerRequest): boolean => method === "HEAD"

/**
 * Writes a stream of events straight to the socket: what is the same for all readers is encoded once, and nothing is
 * kept for one who does not read. Headers go out at once, so whoever has them misses nothing that comes later.
 */
export const serve = <E, R>(
  request: HttpServerRequest,
  requestId: string,
  produce: (wire: Wire) => Effect.Effect<void, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
  Effect.suspend(() => {
    if (asksForHead(request)) return Effect.succeed(HttpServerResponse.empty({ status: 200 }))
    const response = begin(request, requestId)
    const pings = pinging(response)
    const gone = Effect.callback<void>((resume) => {
      response.once("close", () => resume(Effect.void))
    })
    const ended = Effect.sync(() => {
      clearInterval(pings)
      response.end()
    })
    const written = Effect.ensuring(Effect.raceFirst(produce(wireOf(response)), gone), ended)
    return Effect.as(written, HttpServerResponse.empty())
  })

/**
 * The same for streams that thousands follow, until the key opens nothing any more or `end` is called. It is written once
 * the request is answered, and what it passed on its way is out of memory: neither router nor middlewares wait below each
 * stream, nor what they provided. What the request's scope holds is held until the stream ends; a client that goes
 * interrupts it, as any request.
 */
export const follow = (
  request: HttpServerRequest,
  requestId: string,
  produce: (wire: Wire, end: () => void) => Effect.Effect<void>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Callers | HttpServerRequest> =>
  Effect.contextWith((context: Context.Context<Callers | HttpServerRequest>) => {
    const answer = HttpServerResponse.empty({ status: 200 })
    if (asksForHead(request)) return Effect.succeed(answer)
    const response = begin(request, requestId)
    const callers = Context.get(context, Callers)
    const { headers } = request
    const written = Effect.withFiber<void>((fiber) => {
      const end = () => fiber.interruptUnsafe()
      const pings = pinging(response)
      const forget = callers.onRevoked(headers, end)
      const ended = Effect.sync(() => {
        forget()
        clearInterval(pings)
        response.end()
      })
      return Effect.ensuring(produce(wireOf(response), end), ended)
    })
    HttpEffect.appendPreResponseHandlerUnsafe(context, () => Effect.as(Effect.interruptible(written), answer))
    return Effect.succeed(answer)
  })
