/** A request that was not answered with what it asked for, as people need it told. */
export class ApiProblem extends Error {
  /** 0: no answer came at all. */
  readonly status: number
  readonly kind: string
  readonly requestId: string | null

  constructor(status: number, kind: string, message: string, requestId: string | null) {
    super(message)
    this.name = "ApiProblem"
    this.status = status
    this.kind = kind
    this.requestId = requestId
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null)

/** What an answer that is no success says of itself, whether or not a node wrote it. */
export const problemOf = (status: number, body: unknown, requestId: string | null): ApiProblem => {
  const error = field(body, "error")
  return new ApiProblem(
    status,
    text(field(error, "type")) ?? "api_error",
    text(field(error, "message")) ?? `The server answered with status ${status}.`,
    text(field(body, "request_id")) ?? requestId
  )
}

export const unreachable = (): ApiProblem =>
  new ApiProblem(0, "unreachable", "The server can't be reached. Nothing was lost: what it runs goes on.", null)

export const asProblem = (error: unknown): ApiProblem =>
  error instanceof ApiProblem
    ? error
    : new ApiProblem(0, "console_error", error instanceof Error ? error.message : String(error), null)
