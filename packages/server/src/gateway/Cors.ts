import type { Headers } from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

const readable = "request-id, retry-after, retry-after-ms, x-should-retry, idempotent-replayed"

/**
 * What pages of an origin that was let in may see of an answer. Cookies are none of it: nothing says that credentials
 * are allowed.
 */
export const corsHeaders = (origin: string): Readonly<Record<string, string>> => ({
  "access-control-allow-origin": origin,
  "access-control-expose-headers": readable,
  vary: "Origin"
})

const fits = /^[\w\-, ]{0,2000}$/

/** The answer to a browser that asks before it sends, or nothing where this is not such a question. */
export const preflight = (method: string, headers: Headers): HttpServerResponse.HttpServerResponse | undefined => {
  const wanted = headers["access-control-request-method"]
  if (method !== "OPTIONS" || wanted === undefined) return undefined
  const asked = headers["access-control-request-headers"] ?? ""
  return HttpServerResponse.empty({
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      // SDKs send headers of their own, and none of ours is trusted for coming from a page.
      ...(asked !== "" && fits.test(asked) ? { "access-control-allow-headers": asked } : {}),
      "access-control-max-age": "600"
    }
  })
}
