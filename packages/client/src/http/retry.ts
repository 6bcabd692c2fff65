import { ApiError, ConnectionError } from "../errors.ts"

/** A server that asks for more patience than this is not waited for: the caller is told. */
const patienceMs = 60_000
const firstMs = 500
const mostMs = 8_000

const passing = new Set([408, 409, 429])

/** Whether the same request may succeed later. */
export const mayPass = (error: unknown): boolean => {
  if (error instanceof ConnectionError) return true
  if (!(error instanceof ApiError)) return false
  const { retryAfterMs, shouldRetry, status } = error
  if (retryAfterMs !== null && retryAfterMs > patienceMs) return false
  return shouldRetry ?? (passing.has(status) || status >= 500)
}

/** How long to wait before the next try: as long as the server says, else longer each time and never all at once. */
export const pauseMs = (tries: number, error: unknown, first = firstMs): number => {
  const said = error instanceof ApiError ? error.retryAfterMs : null
  if (said !== null) return said
  return Math.min(mostMs, first * 2 ** tries) * (1 - Math.random() / 4)
}

const numberOf = (text: string | null): number | null => {
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : null
}

/** What `retry-after-ms` or `retry-after` say, in milliseconds from now. */
export const retryAfterOf = (headers: Headers, now: number): number | null => {
  const ms = numberOf(headers.get("retry-after-ms"))
  if (ms !== null) return ms
  const text = headers.get("retry-after")
  const seconds = numberOf(text)
  if (seconds !== null) return seconds * 1_000
  const moment = text === null ? Number.NaN : Date.parse(text)
  return Number.isNaN(moment) ? null : Math.max(0, moment - now)
}

/** Waits, unless the signal ends it before. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener("abort", done)
  })
