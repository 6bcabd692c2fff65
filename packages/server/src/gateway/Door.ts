import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { ApiFailure, invalid, notFound } from "@troupe/domain/api/ApiError"
import { Cause, Effect, Layer, Option } from "effect"
import { isHttpServerError } from "effect/http/HttpServerError"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"
import { Minting } from "../log/Minting.ts"
import { corsHeaders, preflight } from "./Cors.ts"
import { credentialsOf } from "./Credentials.ts"
import { offersWebSocket } from "./GatewayServer.ts"
import { makeSenderOf, type OriginOptions } from "./Origins.ts"
import { failureResponse, RequestId } from "./Requests.ts"

export interface DoorOptions extends OriginOptions {
  /** What is shown to browsers at addresses that are not the API's. */
  readonly page: (
    path: string,
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<Option.Option<HttpServerResponse.HttpServerResponse>>
}

/** Put on the raw response, so that streams which write theirs themselves carry them as well. */
const always = (request: HttpServerRequest.HttpServerRequest, listedOrigin: string | undefined) =>
  Effect.sync(() => {
    if (offersWebSocket(request)) return
    const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
    response.setHeader("x-content-type-options", "nosniff")
    if (listedOrigin === undefined) return
    for (const [name, value] of Object.entries(corsHeaders(listedOrigin))) response.setHeader(name, value)
  })

const broke = new ApiFailure({ type: "api_error", message: "The request could not be answered; try again" })

/** No route was found for what is no path at all, or for a method that nobody knows. */
const isNoRoute = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return isHttpServerError(error) && error.reason._tag === "RouteNotFound"
}

/** A failure that a service died of is the answer all the same: it is what no part of the node between could change. */
const answered = (cause: Cause.Cause<unknown>, requestId: string) => {
  const failure = Cause.squash(cause)
  if (failure instanceof ApiFailure) return Effect.succeed(failureResponse(failure, requestId))
  return Effect.as(
    Effect.logError("A request broke", cause).pipe(Effect.annotateLogs({ requestId })),
    failureResponse(broke, requestId)
  )
}

/** Of two, a proxy in front of this server may have looked at the other one. */
const hasTwoHosts = (request: HttpServerRequest.HttpServerRequest): boolean => {
  const { rawHeaders } = NodeHttpServerRequest.toIncomingMessage(request)
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host").length > 1
}

/**
 * Whether a connection takes no more requests after this one: an upgrade that was refused has ended it, and whoever is
 * refused before the body has come has no reason to send the rest, however slowly.
 */
const isLast = (request: HttpServerRequest.HttpServerRequest, { status }: HttpServerResponse.HttpServerResponse) =>
  offersWebSocket(request) || (status >= 400 && !NodeHttpServerRequest.toIncomingMessage(request).complete)

/** What every request passes, whichever part of the node answers it. */
const guard = (options: DoorOptions) => {
  const senderOf = makeSenderOf(options)
  return HttpRouter.middleware(
    Effect.gen(function* () {
      const { salt } = yield* Minting
      return (app) =>
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const requestId = `req_${salt()}`
          const { headers, method, url } = request
          const numbered = (response: HttpServerResponse.HttpServerResponse) =>
            HttpServerResponse.setHeaders(response, {
              "request-id": response.headers["request-id"] ?? requestId,
              ...(isLast(request, response) ? { connection: "close" } : {})
            })
          if (hasTwoHosts(request)) return numbered(failureResponse(invalid("Host: takes one name"), requestId))
          const sender = senderOf(headers)
          if (typeof sender !== "string") return numbered(failureResponse(sender, requestId))
          yield* always(request, sender === "listed" ? headers["origin"] : undefined)
          const asked = sender === "listed" ? preflight(method, headers) : undefined
          if (asked !== undefined) return numbered(asked)
          const credentials = credentialsOf(method, url, headers, sender)
          if (credentials instanceof ApiFailure) return numbered(failureResponse(credentials, requestId))
          return yield* app.pipe(
            Effect.provideService(
              HttpServerRequest.HttpServerRequest,
              credentials === headers ? request : request.modify({ headers: credentials })
            ),
            Effect.provideService(RequestId, requestId),
            Effect.map(numbered),
            Effect.catchCause((cause) =>
              Cause.hasInterruptsOnly(cause)
                ? Effect.failCause(cause)
                : Effect.map(
                    isNoRoute(cause)
                      ? Effect.provideService(elsewhere(options), RequestId, requestId)
                      : answered(cause, requestId),
                    numbered
                  )
            )
          )
        })
    }),
    { global: true }
  )
}

/** Routes that are known, so that a path with another method can be told from one that is not there. */
const known: Array<{ readonly method: string; readonly pattern: RegExp }> = []

export const announce = (method: string, path: string): void => {
  known.push({ method, pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`) })
}

const elsewhere = ({ page }: DoorOptions) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const requestId = yield* RequestId
    const path = request.url.split("?")[0]!
    const taken = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    const shown = request.method === "GET" || request.method === "HEAD" ? yield* page(path, request) : Option.none()
    if (taken.length === 0 && Option.isSome(shown)) return shown.value
    if (taken.length === 0) return failureResponse(notFound(`There is nothing at ${path.slice(0, 200)}`), requestId)
    const allowed = [...new Set(taken)].join(", ")
    const message = `${request.method} is not taken here; ${allowed} is`
    return HttpServerResponse.setHeader(
      failureResponse(new ApiFailure({ type: "invalid_request_error", status: 405, message }), requestId),
      "allow",
      allowed
    )
  })

/** Not HEAD: what nobody answers to that is answered as GET is, without the body. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const

export const layer = (options: DoorOptions) =>
  Layer.merge(
    guard(options),
    HttpRouter.addAll(methods.map((method) => HttpRouter.route(method, "/*", elsewhere(options))))
  )
