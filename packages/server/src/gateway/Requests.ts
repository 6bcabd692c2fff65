import type { Actor } from "@troupe/domain/Actor"
import type { ApiFailure } from "@troupe/domain/api/ApiError"
import { errorStatuses } from "@troupe/domain/api/ApiError"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import type { IdKind, TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { Context } from "effect"
import type { TokenKind } from "../runners/TokenSecret.ts"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** The number of a request: in its answer, in errors, and in what is logged of it. */
export const RequestId = Context.Reference<string>("server/RequestId", { defaultValue: () => "req_none" })

/** Whose request it is. */
export class Caller extends Context.Service<
  Caller,
  {
    readonly workspaceId: WorkspaceId
    readonly tokenId: TokenId
    readonly kind: TokenKind
    /** The API key that it comes from in the end: itself, or what a console was logged in with. */
    readonly keyId: TokenId
    /** What the token is for, where that is not its whole workspace. */
    readonly bound: BoundTo | null
    readonly scopes: ReadonlyArray<string>
    readonly actor: Actor
  }
>()("server/Caller") {}

/** Ids that a request makes, of a kind and for a use. Sent again under its idempotency key, it makes the same ones. */
export class Mint extends Context.Service<Mint, (kind: IdKind, use?: string) => string>()("server/Mint") {}

const detailsOf = ({ code, currentState, queueVersion }: ApiFailure) => {
  const details = {
    ...(code === undefined ? {} : { error_code: code }),
    ...(queueVersion === undefined ? {} : { queue_version: queueVersion }),
    ...(currentState === undefined ? {} : { current_state: currentState })
  }
  return Object.keys(details).length === 0 ? {} : { details }
}

/** What a failed request is answered with, in the shape that clients of the compatible API know. */
export const failureBody = (failure: ApiFailure, requestId: string) => ({
  type: "error" as const,
  error: {
    type: failure.type,
    message: failure.message,
    ...detailsOf(failure)
  },
  request_id: requestId
})

export const statusOf = (failure: ApiFailure): number => failure.status ?? errorStatuses[failure.type]

export const failureResponse = (failure: ApiFailure, requestId: string): HttpServerResponse.HttpServerResponse => {
  const { final, retryAfterMs } = failure
  const waiting: Record<string, string> =
    retryAfterMs === undefined
      ? {}
      : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)), "retry-after-ms": String(retryAfterMs) }
  return HttpServerResponse.jsonUnsafe(failureBody(failure, requestId), {
    status: statusOf(failure),
    headers: { ...waiting, ...(final === true ? { "x-should-retry": "false" } : {}) }
  })
}
