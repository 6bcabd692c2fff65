import { ModelError, type ModelTrouble } from "./ModelClient.ts"

/** What the errors of both vendors' SDKs have in common. */
interface SdkError {
  readonly status?: number | undefined
  readonly headers?: { readonly get: (name: string) => string | null } | undefined
  readonly message: string
  readonly code?: unknown
  readonly type?: unknown
  readonly cause?: unknown
}

const tooLong = /context.?(length|window)|prompt is too long|too many (input )?tokens|maximum context|input length/i
const unpaid = /credit balance|insufficient.?quota|insufficient.?(funds|balance|credit)|billing/i
const retryAfterMaxMs = 86_400_000

/** What the provider says of when to come back: milliseconds, seconds, or a date. */
export const retryAfterMs = (headers: SdkError["headers"], now: number): number | null => {
  const precise = Number.parseFloat(headers?.get("retry-after-ms") ?? "")
  const text = headers?.get("retry-after") ?? ""
  const seconds = Number.parseFloat(text)
  const date = Date.parse(text)
  const ms = Number.isFinite(precise)
    ? precise
    : Number.isFinite(seconds)
      ? seconds * 1_000
      : Number.isFinite(date)
        ? date - now
        : Number.NaN
  return Number.isFinite(ms) ? Math.min(retryAfterMaxMs, Math.max(0, Math.ceil(ms))) : null
}

/** What goes wrong in the middle of an answer has a name in place of a status. */
const statuses: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  context_length_exceeded: 400,
  request_too_large: 413,
  timeout_error: 504,
  api_error: 500,
  server_error: 500
}

const statusNamed = (name: unknown): number | undefined =>
  typeof name !== "string" ? undefined : (statuses[name] ?? (name.startsWith("invalid_") ? 400 : undefined))

const statusOf = ({ code, status, type }: SdkError): number | undefined =>
  status ?? statusNamed(code) ?? statusNamed(type)

/** A 404 of a server of models names what it has not; any other server has no such page. */
const namesModel = ({ code, message }: SdkError): boolean => /model|deployment/i.test(`${String(code)} ${message}`)

const troubleOf = (error: SdkError, now: number): ModelTrouble => {
  const status = statusOf(error)
  if (status === undefined) return { _tag: "Broken", status: null }
  // Out of credit looks like too many requests, or like a wrong one, and waiting does not help.
  if (status === 402 || (status < 500 && unpaid.test(`${String(error.code)} ${error.message}`)))
    return { _tag: "Unpaid" }
  if (status === 429 || status === 529 || status === 503) {
    return { _tag: "Busy", status, retryAfterMs: retryAfterMs(error.headers, now) }
  }
  if (status === 408) return { _tag: "Broken", status }
  if (status >= 500) return { _tag: "Broken", status }
  if (status === 401 || status === 403) return { _tag: "Denied", status }
  if (status === 404 && namesModel(error)) return { _tag: "UnknownModel" }
  if ((status === 400 || status === 413) && (error.code === "context_length_exceeded" || tooLong.test(error.message))) {
    return { _tag: "ContextTooLong" }
  }
  return { _tag: "Refused", status }
}

const detailMax = 500
const causesMax = 5
/** Keys in an error's text, whoever put them there. */
const keys = /\b(sk-|sk_|key-|Bearer\s+)[A-Za-z0-9*._-]{6,}/g

/** What a connection failed of is said by what caused the error, or by what caused that. */
const rootOf = ({ cause }: SdkError): string => {
  let found = cause
  for (let depth = 0; depth < causesMax && found instanceof Error && found.cause instanceof Error; depth++) {
    found = found.cause
  }
  if (!(found instanceof Error)) return ""
  const { code } = found as { readonly code?: unknown }
  return found.message !== "" ? found.message : typeof code === "string" ? code : ""
}

const detailOf = (error: SdkError): string => {
  if (error.status === 404 && !namesModel(error)) {
    return `nothing there serves models by this interface. Is its base URL right? (${error.message})`
  }
  const root = rootOf(error)
  return root === "" || error.message.includes(root) ? error.message : `${error.message.replace(/\.$/, "")}: ${root}`
}

/** An error of a vendor's SDK in our words. */
export const fromSdk = (provider: string, model: string, cause: unknown, now: number): ModelError => {
  const error: SdkError = cause instanceof Error ? (cause as SdkError) : { message: String(cause) }
  const timedOut = statusOf(error) === undefined && /timed? ?out/i.test(error.message)
  const trouble = timedOut ? ({ _tag: "TimedOut", afterMs: 0 } as const) : troubleOf(error, now)
  const detail = detailOf(error).replaceAll(keys, "…").slice(0, detailMax)
  return new ModelError({ provider, model, trouble, detail })
}
