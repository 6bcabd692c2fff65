import { ModelError, type ModelTrouble } from "./ModelClient.ts"

/** What the errors of both vendors' SDKs have in common. */
interface SdkError {
  readonly status?: number | undefined
  readonly headers?: { readonly get: (name: string) => string | null } | undefined
  readonly message: string
  readonly code?: unknown
  readonly error?: unknown
}

const tooLong = /context.?(length|window)|prompt is too long|too many (input )?tokens|maximum context|input length/i
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

const troubleOf = (error: SdkError, now: number): ModelTrouble => {
  const { status } = error
  if (status === undefined) return { _tag: "Broken", status: null }
  if (status === 429 || status === 529 || status === 503) {
    // Out of credit looks like too many requests, and waiting does not help.
    if (error.code === "insufficient_quota") return { _tag: "Denied", status }
    return { _tag: "Busy", status, retryAfterMs: retryAfterMs(error.headers, now) }
  }
  if (status === 408) return { _tag: "Broken", status }
  if (status >= 500) return { _tag: "Broken", status }
  if (status === 401 || status === 403 || status === 402) return { _tag: "Denied", status }
  if (status === 404) return { _tag: "UnknownModel" }
  if ((status === 400 || status === 413) && tooLong.test(error.message)) return { _tag: "ContextTooLong" }
  return { _tag: "Refused", status }
}

const detailMax = 500
/** Keys in an error's text, whoever put them there. */
const keys = /\b(sk-|sk_|key-|Bearer\s+)[A-Za-z0-9*._-]{6,}/g

/** An error of a vendor's SDK in our words. */
export const fromSdk = (provider: string, model: string, cause: unknown, now: number): ModelError => {
  const error: SdkError = cause instanceof Error ? (cause as SdkError) : { message: String(cause) }
  const timedOut = error.status === undefined && /timed? ?out/i.test(error.message)
  const trouble = timedOut ? ({ _tag: "TimedOut", afterMs: 0 } as const) : troubleOf(error, now)
  const detail = error.message.replaceAll(keys, "…").slice(0, detailMax)
  return new ModelError({ provider, model, trouble, detail })
}
