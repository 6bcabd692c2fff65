import { ApiFailure, conflict, type ErrorBody, forbidden, invalid, notFound } from "@troupe/domain/api/ApiError"
import { describe } from "@troupe/domain/api/problems"
import { allows, type Scope } from "@troupe/domain/api/Workspace"
import { Clock, Effect, Result, Schema } from "effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type { Headers } from "effect/http/Headers"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { SqlError } from "effect/sql/SqlError"
import { Bounds } from "../access/Bounds.ts"
import { RateLimits } from "../access/RateLimits.ts"
import { storable } from "../session/unstorableText.ts"
import { bodyBytesMax, readJson } from "./Body.ts"
import { Callers } from "./Callers.ts"
import { announce } from "./Door.ts"
import { type Answer, Idempotency, toResponse } from "./Idempotency.ts"
import { Minting } from "../log/Minting.ts"
import { measured } from "./RequestMetrics.ts"
import { Caller, failureBody, failureResponse, Mint, RequestId, statusOf } from "./Requests.ts"

type Type<S> = [S] extends [never] ? undefined : S extends { readonly Type: infer A } ? A : undefined

/** What an endpoint is asked. */
export interface Asked<E extends HttpApiEndpoint.Constraint> {
  readonly params: Type<HttpApiEndpoint.Params<E>>
  readonly query: Type<HttpApiEndpoint.Query<E>>
  readonly payload: Type<HttpApiEndpoint.Payload<E>>
  readonly caller: Caller["Service"]
}

type Answered<E extends HttpApiEndpoint.Constraint> = Type<HttpApiEndpoint.Success<E>>
type Failure = ApiFailure | SqlError

type Decode = (value: unknown) => Effect.Effect<unknown, ApiFailure>

const strictly = { errors: "all", onExcessProperty: "error" } as const
/** Clients of older versions of the contract send parameters that mean nothing any more. */
const leniently = { errors: "all" } as const

const decoder = (
  schema: Schema.Top | undefined,
  options: typeof strictly | typeof leniently,
  what: (message: string) => string
): Decode => {
  if (schema === undefined) return () => Effect.undefined
  const decode = Schema.decodeUnknownResult(schema as Schema.Codec<unknown>)
  return (value) => {
    const result = decode(value, options)
    return Result.isSuccess(result)
      ? Effect.succeed(result.success)
      : Effect.fail(invalid(what(describe(result.failure))))
  }
}

const queryOf = (url: string): Record<string, string | ReadonlyArray<string>> => {
  const at = url.indexOf("?")
  const query: Record<string, string | Array<string>> = Object.create(null)
  if (at < 0) return query
  for (const [key, value] of new URLSearchParams(url.slice(at + 1))) {
    const before = query[key]
    query[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return query
}

/** Whether an address holds what no table takes. Nothing that is looked for can have it in its name. */
const unstorable = (...named: ReadonlyArray<Readonly<Record<string, string | ReadonlyArray<string> | undefined>>>) => {
  for (const texts of named) {
    for (const key in texts) for (const text of [texts[key] ?? ""].flat()) if (!storable(text)) return true
  }
  return false
}

const decoders = (endpoint: HttpApiEndpoint.Top) => {
  // Bodies in parts are read as they come, by their routes.
  const [body] = [...endpoint.payload.values()].flatMap(({ encoding, schemas }) =>
    encoding._tag === "Multipart" ? [] : [...schemas]
  )
  return {
    params: decoder(endpoint.params, leniently, (message) => `Invalid path: ${message}`),
    query: decoder(
      endpoint.query === undefined ? undefined : Schema.toCodecArrayFromSingle(endpoint.query),
      leniently,
      (message) => message
    ),
    body: body === undefined ? null : decoder(body, strictly, (message) => message)
  }
}

/** Whose key it is, if it opens what this scope is for. */
export const authorized = Effect.fnUntraced(function* (headers: Headers, scope: Scope) {
  const { identify } = yield* Callers
  const caller = yield* identify(headers)
  yield* (yield* RateLimits).request(caller.tokenId)
  return allows(caller.scopes, scope) ? caller : yield* forbidden(`This API key has no ${scope} scope`)
})

/** What an endpoint takes as its body, read as strictly as everywhere. */
export const bodyReader = <E extends HttpApiEndpoint.Constraint>(endpoint: E) =>
  decoders(endpoint as unknown as HttpApiEndpoint.Top).body as (
    value: unknown
  ) => Effect.Effect<Asked<E>["payload"], ApiFailure>

/** Lets a request in, if its key may do what it asks for, and reads what that is. */
const enter = (endpoint: HttpApiEndpoint.Top, scope: Scope) => {
  const decode = decoders(endpoint)
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const caller = yield* authorized(request.headers, scope)
    const [path, search] = [yield* HttpRouter.params, queryOf(request.url)]
    // Two slashes with nothing between them, or one too many at the end.
    if (Object.values(path).includes("")) return yield* notFound("There is nothing at an address with an empty part")
    if (unstorable(path, search)) return yield* invalid("The address holds a NUL character")
    const params = yield* decode.params(path)
    yield* (yield* Bounds).admit(caller, endpoint, params)
    const query = yield* decode.query(search)
    const body = decode.body === null ? null : yield* readJson(request)
    const payload = body === null ? undefined : yield* decode.body!(body.value)
    return { asked: { params, query, payload, caller } as never, caller, text: body?.text ?? "", request }
  })
}

/** A handler's outcome as it is answered and kept. */
export const answerOf = <R>(work: Effect.Effect<unknown, Failure, R>): Effect.Effect<Answer, SqlError, R> =>
  Effect.gen(function* () {
    const outcome = yield* Effect.result(work)
    if (Result.isSuccess(outcome)) return { status: 200, body: JSON.stringify(outcome.success) }
    if (outcome.failure._tag !== "ApiFailure") return yield* outcome.failure
    const { final, retryAfterMs } = outcome.failure
    const headers: Record<string, string> = final === true ? { "x-should-retry": "false" } : {}
    if (retryAfterMs !== undefined) {
      headers["retry-after"] = String(Math.ceil(retryAfterMs / 1_000))
      headers["retry-after-ms"] = String(retryAfterMs)
    }
    return {
      status: statusOf(outcome.failure),
      body: JSON.stringify(failureBody(outcome.failure, yield* RequestId)),
      headers
    }
  })

/** Answers failures; what else goes wrong is for the door to log and to hide. */
export const refusing = <R>(effect: Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>) =>
  Effect.catchTag(effect, "ApiFailure", (failure) =>
    Effect.gen(function* () {
      return failureResponse(failure, yield* RequestId)
    })
  )

/** Answers to what can't be meant: no trouble of ours, and nothing that the state of a session explains. */
const badInput: ReadonlySet<number> = new Set([400, 413, 422])

/** What the address names, as far as it can be a name. */
const named = Effect.map(HttpRouter.params, (params) =>
  Object.fromEntries(Object.entries(params).filter(([, text]) => /^[\w-]{1,64}$/.test(text ?? "")))
)

/** Found by the number that the answer carries. What was sent is not repeated: it may be secret. */
const noting = Effect.fnUntraced(function* (method: string, path: string, status: number) {
  if (!badInput.has(status)) return
  const about = { requestId: yield* RequestId, method, path, status, ...(yield* named) }
  yield* Effect.logInfo("A request was refused").pipe(Effect.annotateLogs(about))
})

const add = <R>(
  method: string,
  path: string,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>
) =>
  HttpRouter.add(
    method as "GET",
    path as HttpRouter.PathInput,
    measured(method, path)(Effect.tap(refusing(answer), ({ status }) => noting(method, path, status)))
  )

/** What is kept of an answer that shows a secret: that it was given. */
const withoutSecret =
  (requestId: string) =>
  (answer: Answer): Answer => {
    if (answer.status !== 200) return answer
    const { id } = JSON.parse(answer.body) as { readonly id: string }
    const failure = conflict(`This request made ${id}, whose secret was shown then; revoke that one and make another`)
    return { status: statusOf(failure), body: JSON.stringify(failureBody(failure, requestId)) }
  }

const notKept = () => null

/** A failure that was kept was another request's: this one has a number of its own. */
export const renumbered = (answer: Answer, requestId: string): Answer => {
  if (answer.status < 400 || answer.headers?.["idempotent-replayed"] === undefined) return answer
  const failure = JSON.parse(answer.body) as ErrorBody
  return { ...answer, body: JSON.stringify({ ...failure, request_id: requestId }) }
}

/** An endpoint of the API, answered with JSON. */
export const route = <E extends HttpApiEndpoint.Constraint, R>(
  of: E,
  scope: Scope,
  handler: (asked: Asked<E>) => Effect.Effect<Answered<E>, Failure, R>,
  at: {
    readonly method?: "PUT" | "DELETE"
    readonly path?: HttpRouter.PathInput
    /** The answer holds a secret: it is kept nowhere, and who sends the request again is told so. */
    readonly shownOnce?: boolean
    /** The answer holds a secret that can be made again: it is kept nowhere, and made anew whenever it is asked for. */
    readonly isMadeAnew?: boolean
    /** Done again under its key, it makes nothing twice and is answered alike. */
    readonly isRepeatable?: boolean
  } = {}
) => {
  const endpoint = of as unknown as HttpApiEndpoint.Top
  const entered = enter(endpoint, scope)
  const method = at.method ?? endpoint.method
  const path = at.path ?? endpoint.path
  announce(method, path)
  const answer = Effect.gen(function* () {
    const { asked, caller, request, text } = yield* entered
    const work = Effect.provideService(answerOf(handler(asked)), Caller, caller)
    const { run } = yield* Idempotency
    const key = method === "GET" ? undefined : request.headers["idempotency-key"]
    const kept = at.isMadeAnew === true ? notKept : at.shownOnce === true ? withoutSecret(yield* RequestId) : undefined
    const { isRepeatable } = at
    const asking = { caller, key, kept, isRepeatable, asked: () => `${method} ${request.url}\n${text}` }
    return toResponse(renumbered(yield* run(asking, work), yield* RequestId))
  })
  return add(method, path, answer)
}

/** An endpoint that writes its own response. */
export const rawRoute = <E extends HttpApiEndpoint.Constraint, R>(
  of: E,
  scope: Scope,
  handler: (
    asked: Asked<E>,
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>
) => {
  const endpoint = of as unknown as HttpApiEndpoint.Top
  const entered = enter(endpoint, scope)
  announce(endpoint.method, endpoint.path)
  const answer = Effect.gen(function* () {
    const { asked, caller, request } = yield* entered
    const { id } = yield* Minting
    const now = yield* Clock.currentTimeMillis
    return yield* handler(asked, request).pipe(
      Effect.provideService(Caller, caller),
      Effect.provideService(Mint, (kind) => id(kind, now))
    )
  })
  return add(endpoint.method, endpoint.path, answer)
}

type Reading = Effect.Services<ReturnType<typeof readJson>>

/** An endpoint for those who have no API key: its handler looks after who they are, and only then reads what they send. */
export const openRoute = <E extends HttpApiEndpoint.Constraint, R>(
  of: E,
  handler: (
    asked: Pick<Asked<E>, "query"> & {
      readonly payload: Effect.Effect<Asked<E>["payload"], ApiFailure, Reading>
    },
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>,
  { bodyMax = bodyBytesMax }: { readonly bodyMax?: number } = {}
) => {
  const endpoint = of as unknown as HttpApiEndpoint.Top
  const decode = decoders(endpoint)
  announce(endpoint.method, endpoint.path)
  const answer = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const query = yield* decode.query(queryOf(request.url))
    const { body } = decode
    const payload =
      body === null ? Effect.undefined : Effect.flatMap(readJson(request, bodyMax), ({ value }) => body(value))
    return yield* handler({ query, payload } as never, request)
  })
  return add(endpoint.method, endpoint.path, answer)
}
