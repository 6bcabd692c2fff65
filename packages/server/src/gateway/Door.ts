import { ApiFailure, forbidden, notFound } from "@troupe/domain/api/ApiError"
import { Cause, Effect, Layer, Option } from "effect"
import type { Headers } from "effect/http/Headers"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { isIP } from "node:net"
import { Minting } from "../log/Minting.ts"
import { failureResponse, RequestId } from "./Requests.ts"

export interface DoorOptions {
  /** Where the gateway listens. */
  readonly host: string
  /** The origin that it has behind a proxy. */
  readonly publicUrl: Option.Option<string>
}

const hostOf = (authority: string): string | undefined => {
  const found = /^(?:\[([^\]]+)\]|([^:\s]+))(?::\d+)?$/.exec(authority)
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

/**
 * Names by which requests may come. A page of another site can make its own name point here, and its scripts would
 * then speak to us as if we were it; but it can't make an address of ours its name.
 */
const makeHostCheck = ({ host, publicUrl }: DoorOptions) => {
  const names = new Set(["localhost", host.toLowerCase()])
  const origins = new Set<string>()
  if (Option.isSome(publicUrl)) {
    const url = new URL(publicUrl.value)
    names.add(url.hostname.toLowerCase().replace(/^\[|\]$/g, ""))
    origins.add(url.origin)
  }
  return (headers: Headers): ApiFailure | undefined => {
    const authority = headers["host"] ?? ""
    const name = hostOf(authority)
    if (name === undefined || !(names.has(name) || isIP(name) !== 0)) {
      return forbidden("This host name is not one of this server; set TROUPE_PUBLIC_URL")
    }
    const { origin } = headers
    const own = origin === undefined || origins.has(origin) || /^https?:\/\/(.*)$/.exec(origin)?.[1] === authority
    return own ? undefined : forbidden("Requests from pages of this origin are not taken; set TROUPE_PUBLIC_URL")
  }
}

const broke = new ApiFailure({ type: "api_error", message: "The request could not be answered; try again" })

/** What every request passes, whichever part of the node answers it. */
const guard = (options: DoorOptions) => {
  const check = makeHostCheck(options)
  return HttpRouter.middleware(
    Effect.gen(function* () {
      const { salt } = yield* Minting
      return (app) =>
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const requestId = `req_${salt()}`
          const refused = check(request.headers)
          const response =
            refused !== undefined
              ? failureResponse(refused, requestId)
              : yield* app.pipe(
                  Effect.provideService(RequestId, requestId),
                  Effect.catchCause((cause) =>
                    Cause.hasInterruptsOnly(cause)
                      ? Effect.failCause(cause)
                      : Effect.as(
                          Effect.logError("A request broke", cause).pipe(Effect.annotateLogs({ requestId })),
                          failureResponse(broke, requestId)
                        )
                  )
                )
          return response.headers["request-id"] === undefined
            ? HttpServerResponse.setHeader(response, "request-id", requestId)
            : response
        })
    }),
    { global: true }
  )
}

/** Routes that are known, so that a path with another method can be told from one that is not there. */
const known: Array<{ readonly method: string; readonly pattern: RegExp }> = []

export const announce = (method: string, path: string): void => {
  known.push({ method, pattern: new RegExp(`^${path.replaceAll(/:[a-z]+/g, "[^/]+")}/?$`) })
}

const elsewhere = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const requestId = yield* RequestId
  const path = request.url.split("?")[0]!
  const taken = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
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
  Layer.merge(guard(options), HttpRouter.addAll(methods.map((method) => HttpRouter.route(method, "/*", elsewhere))))
