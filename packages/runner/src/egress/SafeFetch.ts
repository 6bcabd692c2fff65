import { Context, Effect, Layer, Schema } from "effect"
import { request as httpRequest, type IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { readBody } from "./body.ts"
import { normalHost } from "@troupe/domain/network/hosts"
import { Outbound, type Unreachable } from "./Outbound.ts"
import type { EgressRefused } from "@troupe/domain/network/Refusal"
import { TrustStore } from "./TrustStore.ts"

export interface SafeRequest {
  readonly url: string
  readonly method?: "GET" | "HEAD" | "POST"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Of the body, after decompression. What is beyond is not read, and `truncated` says so. */
  readonly maxBytes?: number
  /** For everything together, redirects included. */
  readonly timeoutMs?: number
  readonly maxRedirects?: number
  /** Why this URL, asked for or redirected to, is not wanted. Undefined where it is. */
  readonly refuse?: (url: URL) => string | undefined
}

export interface SafeResponse {
  readonly status: number
  /** Where the redirects ended. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly truncated: boolean
}

/** The request was not made, or not followed further. URLs may hold secrets, so that errors name hosts alone. */
export class FetchRefused extends Schema.TaggedError<FetchRefused>()("FetchRefused", {
  host: Schema.String,
  reason: Schema.Literals(["url", "protocol", "credentials", "port", "address", "redirects", "not_wanted"]),
  detail: Schema.String
}) {
  override get message() {
    return `Fetching from ${this.host} is refused (${this.reason}): ${this.detail}`
  }
}

export class FetchFailed extends Schema.TaggedError<FetchFailed>()("FetchFailed", {
  host: Schema.String,
  reason: Schema.Literals(["name", "connect", "tls", "timeout", "protocol", "encoding"]),
  detail: Schema.String
}) {
  override get message() {
    return `Fetching from ${this.host} failed (${this.reason}): ${this.detail}`
  }
}

export type SafeFetchError = FetchRefused | FetchFailed

/** Requests of our own tools to addresses that an agent chose: to public addresses, over HTTP, within limits. */
export class SafeFetch extends Context.Service<
  SafeFetch,
  { readonly fetch: (request: SafeRequest) => Effect.Effect<SafeResponse, SafeFetchError> }
>()("runner/egress/SafeFetch") {
  static readonly layer = Layer.effect(
    SafeFetch,
    Effect.suspend(() => make)
  )
}

const defaults = { maxBytes: 10 * 1024 * 1024, timeoutMs: 30_000, maxRedirects: 10 }
const headerBytesMax = 64 * 1024
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** What goes along to another origin: nothing that could be a secret. */
const harmless: ReadonlySet<string> = new Set(["accept", "accept-language", "user-agent"])
/** What is ours to say. */
const reserved: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

interface Hop {
  readonly url: URL
  readonly method: "GET" | "HEAD" | "POST"
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

const refused = (url: URL | undefined, reason: FetchRefused["reason"], detail: string) =>
  new FetchRefused({ host: url?.hostname ?? "nowhere", reason, detail })

const fromOutbound = (error: EgressRefused | Unreachable): SafeFetchError =>
  error._tag === "EgressRefused"
    ? new FetchRefused({ host: error.host, reason: "address", detail: error.detail })
    : new FetchFailed({ host: error.host, reason: error.reason, detail: error.detail })

const endpointOf = Effect.fnUntraced(function* (url: URL) {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return yield* refused(url, "protocol", `${url.protocol} is neither http: nor https:`)
  }
  if (url.username !== "" || url.password !== "") return yield* refused(url, "credentials", "the URL holds a user name")
  const host = normalHost(url.hostname)
  if (host === undefined) return yield* refused(url, "url", "this can't be a host")
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  if (port === 25 || port === 0) return yield* refused(url, "port", `nothing is fetched from port ${port}`)
  return { host, port }
})

const ask = (hop: Hop, connection: Duplex) =>
  Effect.callback<IncomingMessage, FetchFailed>((resume) => {
    const own = Object.entries(hop.headers).filter(([name]) => !reserved.has(name.toLowerCase()))
    const fail = (detail: string) =>
      resume(Effect.fail(new FetchFailed({ host: hop.url.hostname, reason: "protocol", detail })))
    try {
      const outgoing = httpRequest({
        createConnection: () => connection,
        method: hop.method,
        path: `${hop.url.pathname}${hop.url.search}`,
        maxHeaderSize: headerBytesMax,
        headers: {
          ...Object.fromEntries(own),
          host: hop.url.host,
          "accept-encoding": "gzip, br",
          connection: "close",
          ...(hop.body === undefined ? {} : { "content-length": hop.body.length })
        }
      })
      outgoing.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? "the connection failed"))
      outgoing.once("response", (response) => resume(Effect.succeed(response)))
      outgoing.once("upgrade", (_response, socket) => {
        socket.destroy()
        fail("the server changed the protocol")
      })
      outgoing.end(hop.body)
    } catch {
      fail("a header can't be sent")
    }
  })

/** The hop that a redirect leads to, or undefined where the answer is the end. */
const next = Effect.fnUntraced(function* (hop: Hop, response: IncomingMessage) {
  const { location } = response.headers
  const status = response.statusCode ?? 0
  if (!redirects.has(status) || location === undefined) return undefined
  const url = URL.parse(location, hop.url.href)
  if (url === null) return yield* refused(hop.url, "url", "it redirects to what is no URL")
  const isSameOrigin = url.origin === hop.url.origin
  const headers = isSameOrigin
    ? hop.headers
    : Object.fromEntries(Object.entries(hop.headers).filter(([name]) => harmless.has(name.toLowerCase())))
  const keeps = hop.method !== "POST" || status === 307 || status === 308
  if (!keeps) {
    const ofBody = /^content-/i
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !ofBody.test(name)))
    return { url, method: "GET" as const, headers: kept, body: undefined }
  }
  if (hop.body !== undefined && !isSameOrigin) {
    return yield* refused(hop.url, "redirects", `it sends the body on to ${url.hostname}`)
  }
  return { url, method: hop.method, headers, body: hop.body }
})

const flat = (headers: IncomingMessage["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
    )
  )

const make = Effect.gen(function* () {
  const outbound = yield* Outbound
  const trust = yield* TrustStore

  /** One request and its answer: the next hop, or the end. */
  const take = Effect.fnUntraced(function* (hop: Hop, maxBytes: number) {
    const endpoint = yield* endpointOf(hop.url)
    const connection = yield* outbound.dial(endpoint).pipe(
      Effect.flatMap(({ socket }) =>
        hop.url.protocol === "https:" ? trust.secure(socket, endpoint) : Effect.succeed<Duplex>(socket)
      ),
      Effect.mapError(fromOutbound)
    )
    const response = yield* ask(hop, connection)
    const onward = yield* next(hop, response)
    if (onward !== undefined) return onward
    const body = yield* readBody(response, hop.method === "HEAD" ? 0 : maxBytes).pipe(
      Effect.mapError(({ detail, reason }) => new FetchFailed({ host: hop.url.hostname, reason, detail }))
    )
    return { status: response.statusCode ?? 0, url: hop.url.href, headers: flat(response.headers), ...body }
  }, Effect.scoped)

  const follow = Effect.fnUntraced(function* (request: SafeRequest) {
    const url = URL.parse(request.url)
    if (url === null) return yield* refused(undefined, "url", "this is no URL")
    const { body, headers = {}, maxBytes = defaults.maxBytes, method = "GET" } = request
    let hop: Hop = { url, method, headers, body }
    for (let left = request.maxRedirects ?? defaults.maxRedirects; left >= 0; left--) {
      hop.url.hash = ""
      const unwanted = request.refuse?.(hop.url)
      if (unwanted !== undefined) return yield* refused(hop.url, "not_wanted", unwanted)
      const result: Hop | SafeResponse = yield* take(hop, maxBytes)
      if ("status" in result) return result
      hop = result
    }
    return yield* refused(hop.url, "redirects", "it redirects too often")
  })

  return SafeFetch.of({
    fetch: Effect.fn("SafeFetch.fetch")(function* (request) {
      const duration = request.timeoutMs ?? defaults.timeoutMs
      const host = URL.parse(request.url)?.hostname ?? "nowhere"
      const late = () => new FetchFailed({ host, reason: "timeout", detail: `not done after ${duration} ms` })
      return yield* follow(request).pipe(Effect.timeoutOrElse({ duration, orElse: late }))
    })
  })
})
