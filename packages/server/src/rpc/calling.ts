import { ApiFailure, type ErrorBody } from "@troupe/domain/api/ApiError"
import type { Scope } from "@troupe/domain/api/Workspace"
import { Effect } from "effect"
import type { Headers } from "effect/http/Headers"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type { SqlError } from "effect/sql/SqlError"
import { Bounds } from "../access/Bounds.ts"
import { roomOf } from "../gateway/BodyRoom.ts"
import { type Answer, Idempotency } from "../gateway/Idempotency.ts"
import { Caller } from "../gateway/Requests.ts"
import { answerOf, authorized } from "../gateway/Route.ts"
import { busy } from "../sessions/SessionCalls.ts"
import { weightOf } from "./largeFrames.ts"

/** A call, and the endpoint whose rules hold for it. */
export interface Calling {
  readonly endpoint: HttpApiEndpoint.Constraint
  readonly scope: Scope
  readonly headers: Headers
  readonly payload: { readonly id?: string; readonly key?: string }
  /** Done again under its key, it makes nothing twice and is answered alike. */
  readonly isRepeatable?: boolean
}

/** A call fails with what a request would be answered with. */
export const settled = <A, R>(work: Effect.Effect<A, ApiFailure | SqlError, R>): Effect.Effect<A, ApiFailure, R> =>
  Effect.catchTag(work, "SqlError", (cause) =>
    Effect.andThen(
      Effect.logError("A call broke", cause),
      Effect.fail(busy(1_000, "The database can't be reached right now"))
    )
  )

export const admitted = Effect.fnUntraced(function* ({ endpoint, headers, payload, scope }: Calling) {
  const caller = yield* authorized(headers, scope)
  const { admit } = yield* Bounds
  yield* admit(caller, endpoint as unknown as HttpApiEndpoint.Top, payload)
  return caller
})

const failureIn = ({ body, headers, status }: Answer): ApiFailure => {
  const { error } = JSON.parse(body) as ErrorBody
  const { error_code: code, queue_version: queueVersion } = error.details ?? {}
  const retryAfterMs = headers?.["retry-after-ms"]
  return new ApiFailure({
    type: error.type,
    message: error.message,
    status,
    ...(code === undefined ? {} : { code }),
    ...(queueVersion === undefined ? {} : { queueVersion }),
    ...(headers?.["x-should-retry"] === "false" ? { final: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Number(retryAfterMs) })
  })
}

/** Does what a call asks for; under a key, once. */
export const called = <A, R>(
  calling: Calling,
  work: (caller: Caller["Service"]) => Effect.Effect<A, ApiFailure | SqlError, R>
) =>
  Effect.gen(function* () {
    const caller = yield* admitted(calling)
    const { take } = yield* roomOf
    yield* take(weightOf(calling.payload))
    const { run } = yield* Idempotency
    const { endpoint, isRepeatable, payload } = calling
    const asked = () => `rpc ${(endpoint as unknown as HttpApiEndpoint.Top).identifier}\n${JSON.stringify(payload)}`
    const doing = Effect.provideService(answerOf(work(caller)), Caller, caller)
    const answer = yield* run({ caller, key: payload.key, isRepeatable, asked }, doing)
    return answer.status === 200 ? (JSON.parse(answer.body) as A) : yield* failureIn(answer)
  }).pipe(Effect.scoped, settled)
