import { Result, Schema } from "effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { JsonObject } from "../Json.ts"

/** The kinds of errors that the API answers with, and the status that each has unless a failure says otherwise. */
export const errorStatuses = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  timeout_error: 408,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 529
} as const

export const ErrorType = Schema.Literals(Object.keys(errorStatuses) as Array<keyof typeof errorStatuses>)
export type ErrorType = typeof ErrorType.Type

/** What every failed request is answered with. */
export const ErrorBody = Schema.Struct({
  type: Schema.Literal("error"),
  error: Schema.Struct({
    type: ErrorType,
    message: Schema.String,
    /** `error_code` says which rule was broken, where clients tell them apart. */
    details: Schema.optionalKey(
      Schema.Struct({
        error_code: Schema.optionalKey(Schema.String),
        /** Where a turn queue stands, for whoever named another version of it. */
        queue_version: Schema.optionalKey(Schema.Int),
        /** How a lease stands, for whoever took it for another. */
        current_state: Schema.optionalKey(JsonObject)
      })
    )
  }),
  request_id: Schema.String
})
export type ErrorBody = typeof ErrorBody.Type

/** The failures that any request can meet, for descriptions of the API. */
export const anyFailure = [400, 401, 403, 404, 409, 413, 429, 500, 529].map((status) =>
  ErrorBody.annotate({ identifier: `Error${status}` }).pipe(HttpApiSchema.status(status))
)

/** A request that is not answered with what it asked for. */
export class ApiFailure extends Schema.TaggedError<ApiFailure>()("ApiFailure", {
  type: ErrorType,
  message: Schema.String,
  status: Schema.optionalKey(Schema.Int),
  code: Schema.optionalKey(Schema.String),
  queueVersion: Schema.optionalKey(Schema.Int),
  currentState: Schema.optionalKey(JsonObject),
  /** Sent again as it is, the request would fail again: clients that retry this status are told not to. */
  final: Schema.optionalKey(Schema.Boolean),
  retryAfterMs: Schema.optionalKey(Schema.Int)
}) {}

export const invalid = (message: string, code?: string): ApiFailure =>
  new ApiFailure({ type: "invalid_request_error", message, ...(code === undefined ? {} : { code }) })

export const notFound = (message: string, code?: string): ApiFailure =>
  new ApiFailure({ type: "not_found_error", message, ...(code === undefined ? {} : { code }) })

export const forbidden = (message: string): ApiFailure => new ApiFailure({ type: "permission_error", message })

/** Two requests want different things of one object: the later one is refused for good. */
export const conflict = (message: string, queueVersion?: number): ApiFailure =>
  new ApiFailure({
    type: "invalid_request_error",
    status: 409,
    message,
    final: true,
    ...(queueVersion === undefined ? {} : { queueVersion })
  })

/** Rules below an `attempt` refuse what they are given by throwing the failure. */
export const refuse = (message: string, code?: string): never => {
  throw invalid(message, code)
}

/** What rules make of an input, or the first failure that one of them threw. */
export const attempt = <A>(rules: () => A): Result.Result<A, ApiFailure> => {
  try {
    return Result.succeed(rules())
  } catch (error) {
    if (error instanceof ApiFailure) return Result.fail(error)
    throw error
  }
}
