import type { ErrorType } from "@troupe/domain/api/ApiError"

/** What every failure of the client is an instance of. */
export class TroupeError extends Error {
  override readonly name: string = "TroupeError"
}

/** No answer came: the server is away, or the connection broke. */
export class ConnectionError extends TroupeError {
  override readonly name: string = "ConnectionError"
}

/** No answer came in time. */
export class TimeoutError extends ConnectionError {
  override readonly name = "TimeoutError"
}

/** The caller's signal ended the call. Its reason is the cause. */
export class AbortError extends TroupeError {
  override readonly name = "AbortError"
}

/** The session was deleted or has ended, so that what was waited for cannot come any more. */
export class SessionEndedError extends TroupeError {
  override readonly name = "SessionEndedError"
  readonly sessionId: string

  constructor(sessionId: string, how: string) {
    super(`Session ${sessionId} ${how}`)
    this.sessionId = sessionId
  }
}

/** An answer that is none of this API: something else listens there, or a proxy answered. */
export class InvalidAnswerError extends TroupeError {
  override readonly name = "InvalidAnswerError"
  readonly requestId: string | null

  constructor(message: string, requestId: string | null, options?: ErrorOptions) {
    super(message, options)
    this.requestId = requestId
  }
}

export interface Refusal {
  readonly status: number
  /** The kind of error, as the API names it; null where the answer was not the API's own. */
  readonly type: ErrorType | null
  /** Which rule was broken, where the API tells them apart. */
  readonly code: string | null
  readonly message: string
  readonly requestId: string | null
  /** Where a turn queue stands, for who named another version of it. */
  readonly queueVersion: number | null
  /** When to come again, if the server said so. */
  readonly retryAfterMs: number | null
  /** What the server says about sending the same again; null where it says nothing. */
  readonly shouldRetry: boolean | null
}

/** The server refused the request. */
export class ApiError extends TroupeError implements Refusal {
  override readonly name: string = "ApiError"
  readonly status: number
  readonly type: ErrorType | null
  readonly code: string | null
  readonly requestId: string | null
  readonly queueVersion: number | null
  readonly retryAfterMs: number | null
  readonly shouldRetry: boolean | null

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.status = refusal.status
    this.type = refusal.type
    this.code = refusal.code
    this.requestId = refusal.requestId
    this.queueVersion = refusal.queueVersion
    this.retryAfterMs = refusal.retryAfterMs
    this.shouldRetry = refusal.shouldRetry
  }
}

export class BadRequestError extends ApiError {
  override readonly name = "BadRequestError"
}
export class AuthenticationError extends ApiError {
  override readonly name = "AuthenticationError"
}
export class PermissionError extends ApiError {
  override readonly name = "PermissionError"
}
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError"
}
export class ConflictError extends ApiError {
  override readonly name = "ConflictError"
}
export class RequestTooLargeError extends ApiError {
  override readonly name = "RequestTooLargeError"
}
export class RateLimitError extends ApiError {
  override readonly name = "RateLimitError"
}
export class ServerError extends ApiError {
  override readonly name = "ServerError"
}

const kinds: Readonly<Record<number, new (refusal: Refusal) => ApiError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  413: RequestTooLargeError,
  429: RateLimitError
}

export const apiErrorOf = (refusal: Refusal): ApiError => {
  const Kind = kinds[refusal.status] ?? (refusal.status >= 500 ? ServerError : ApiError)
  return new Kind(refusal)
}
