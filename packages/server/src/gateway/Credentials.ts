import { type ApiFailure, forbidden } from "@troupe/domain/api/ApiError"
import { Option } from "effect"
import * as Headers from "effect/http/Headers"
import { consoleSecret } from "../access/Cookie.ts"
import { shownText } from "../runners/ApiError.ts"
import { secretPrefixes } from "../runners/TokenSecret.ts"
import type { Sender } from "./Origins.ts"

const reads: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

/** Says of a request that a script of ours sends it: pages elsewhere can't send it without asking first. */
const marker = "x-troupe-console"

/**
 * Browsers add the cookie to whatever they send here. It counts where a page of this server asks: never for pages of
 * origins that were let in, which come with tokens of their own, and for writes only with a sign that it was our page.
 */
const cookieRefused = (method: string, headers: Headers.Headers, sender: Sender): ApiFailure | undefined => {
  const ours = sender === "own" || headers["sec-fetch-site"] === "same-origin" || headers[marker] !== undefined
  return ours || reads.has(method)
    ? undefined
    : forbidden(`With a cookie, writes need an Origin of this server or the header ${marker}`)
}

const strangers: ReadonlySet<string | undefined> = new Set(["cross-site", "same-site"])

/** A stream's token may come in its address: browsers can't give an EventSource or a WebSocket a header. */
const inAddress = (url: string): string | undefined => {
  const at = url.indexOf("?")
  const token = at < 0 ? null : new URLSearchParams(url.slice(at + 1)).get("token")
  return token?.startsWith(secretPrefixes.stream) === true ? token : undefined
}

/** The headers of a request with those credentials alone that may count. */
export const credentialsOf = (
  method: string,
  url: string,
  headers: Headers.Headers,
  sender: Sender
): Headers.Headers | ApiFailure => {
  if (shownText(headers) !== undefined) return headers
  const token = inAddress(url)
  if (token !== undefined) return Headers.set(headers, "authorization", `Bearer ${token}`)
  if (Option.isNone(consoleSecret(headers))) return headers
  if (sender === "listed" || strangers.has(headers["sec-fetch-site"])) return Headers.remove(headers, "cookie")
  return cookieRefused(method, headers, sender) ?? headers
}
