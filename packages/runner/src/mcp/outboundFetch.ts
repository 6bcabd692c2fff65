import { Effect, type Scope } from "effect"
import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http"
import type { Duplex } from "node:stream"
import { normalHost } from "@troupe/domain/network/hosts"
import { Outbound, Unreachable } from "../egress/Outbound.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { TrustStore } from "../egress/TrustStore.ts"
import { upstreamAgent } from "../egress/UpstreamAgent.ts"
import { answerBody, type MessageId } from "./answerBody.ts"

/** What the SDK's transports call: the part of `fetch` that they use. */
export type McpFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

const headerBytesMax = 64 * 1_024
/** What is ours to say. */
const reserved: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "te",
  "upgrade"
])

/**
 * `fetch` by the rules for outbound connections, for one server: every connection is dialled by `Outbound`, no redirect is
 * followed, nothing but `origin` is asked, and bodies stream. Connections are kept between requests, and gone with the scope.
 */
export const outboundFetch = Effect.fnUntraced(function* (
  origin: string
): Effect.fn.Return<McpFetch, never, Scope.Scope | Outbound | TrustStore> {
  const outbound = yield* Outbound
  const trust = yield* TrustStore
  const fork = Effect.runForkWith(yield* Effect.context())
  const isSecure = origin.startsWith("https:")
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() =>
      upstreamAgent(
        (asked) =>
          Effect.gen(function* () {
            const { address, socket } = yield* outbound.dial(asked)
            const stream: Duplex = isSecure ? yield* trust.secure(socket, asked) : socket
            return { stream, address }
          }),
        (effect) => void fork(effect)
      )
    ),
    (made) => Effect.sync(() => made.destroy())
  )
  const running = new RunningRequests()
  return async (input, init = {}) => {
    const url = new URL(input)
    const asked = endpointOf(url)
    if (url.origin !== origin) {
      throw new EgressRefused({ code: "host_not_allowed", ...asked, detail: "it is not the server's own address" })
    }
    const body = typeof init.body === "string" ? init.body : undefined
    running.cancelled(body)
    return await exchange({ url, asked, init, body, agent, running })
  }
})

const endpointOf = (url: URL) => ({
  host: normalHost(url.hostname) ?? url.hostname,
  port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
})

interface Exchange {
  readonly url: URL
  readonly asked: { readonly host: string; readonly port: number }
  readonly init: RequestInit
  readonly body: string | undefined
  readonly agent: Agent
  readonly running: RunningRequests
}

const exchange = ({ agent, asked, body, init, running, url }: Exchange) =>
  new Promise<Response>((resolve, reject) => {
    const signal = init.signal ?? undefined
    const id = requestIdOf(body)
    let cancel = (): void => void request.destroy(new Error("the call was cancelled"))
    let request: ClientRequest
    try {
      request = httpRequest({
        ...asked,
        agent,
        method: init.method ?? "GET",
        path: `${url.pathname}${url.search}`,
        maxHeaderSize: headerBytesMax,
        headers: headersOf(url, init, body)
      })
    } catch {
      reject(new Unreachable({ ...asked, reason: "protocol", detail: "a header can't be sent" }))
      return
    }
    const forget = running.add(id, () => cancel())
    const abort = () => request.destroy(Object.assign(new Error("the request was aborted"), { name: "AbortError" }))
    if (signal?.aborted === true) abort()
    signal?.addEventListener("abort", abort, { once: true })
    request.once("close", () => {
      forget()
      signal?.removeEventListener("abort", abort)
    })
    request.on("error", (cause: NodeJS.ErrnoException) => reject(problemOf(cause, asked)))
    request.once("upgrade", (_answer, socket) => {
      socket.destroy()
      reject(new Unreachable({ ...asked, reason: "protocol", detail: "the server changed the protocol" }))
    })
    request.once("response", (answer) => {
      const unreadable = unreadableEncoding(answer)
      if (unreadable !== undefined) {
        request.destroy()
        reject(new Unreachable({ ...asked, reason: "protocol", detail: unreadable }))
        return
      }
      const stream = answerBody(answer, id)
      cancel = stream.cancel
      resolve(responseOf(answer, stream.body))
    })
    request.end(body)
  })

const headersOf = (url: URL, init: RequestInit, body: string | undefined): Record<string, string> => {
  const own = [...new Headers(init.headers)].filter(([name]) => !reserved.has(name))
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }
  return { ...Object.fromEntries(own), host: url.host, "accept-encoding": "identity", ...length }
}

/** We ask for none, so that a small answer never becomes a large one. */
const unreadableEncoding = ({ headers }: IncomingMessage): string | undefined => {
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase()
  return encoding === "identity" || encoding === "" ? undefined : "the answer is compressed, which nobody asked for"
}

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

const responseOf = (answer: IncomingMessage, body: ReadableStream<Uint8Array>): Response => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headersDistinct)) {
    for (const each of value ?? []) headers.append(name, each)
  }
  const { statusCode = 502, statusMessage = "" } = answer
  const status = statusCode >= 200 && statusCode <= 599 ? statusCode : 502
  if (bodiless.has(status)) answer.resume()
  return new Response(bodiless.has(status) ? null : body, { status, statusText: statusMessage, headers })
}

const problemOf = (cause: NodeJS.ErrnoException, asked: { readonly host: string; readonly port: number }): Error =>
  cause instanceof EgressRefused || cause instanceof Unreachable || cause.name === "AbortError"
    ? cause
    : new Unreachable({ ...asked, reason: "protocol", detail: cause.code ?? "the connection broke" })

/**
 * Requests by the id of the JSON-RPC message they carry. The SDK says a call off with a message of its own and leaves the
 * call's request open: a server that never answers would keep one connection for every call it ever let go.
 */
class RunningRequests {
  private readonly open = new Map<MessageId, () => void>()

  add(id: MessageId | undefined, cancel: () => void): () => void {
    if (id === undefined) return () => {}
    this.open.set(id, cancel)
    return () => void (this.open.get(id) === cancel && this.open.delete(id))
  }

  cancelled(body: string | undefined): void {
    const message = messageOf(body)
    if (message?.["method"] !== "notifications/cancelled") return
    const id = (message["params"] as { readonly requestId?: unknown } | undefined)?.requestId
    if (isId(id)) this.open.get(id)?.()
  }
}

const isId = (id: unknown): id is MessageId => typeof id === "string" || typeof id === "number"

/** Answers to what the server asks have an id, too; but nothing comes after them. */
const requestIdOf = (body: string | undefined): MessageId | undefined => {
  const message = messageOf(body)
  const id = message?.["id"]
  return message !== undefined && "method" in message && isId(id) ? id : undefined
}

const messageOf = (body: string | undefined): Record<string, unknown> | undefined => {
  if (body === undefined) return undefined
  const message: unknown = JSON.parse(body)
  return typeof message === "object" && message !== null ? { ...message } : undefined
}
