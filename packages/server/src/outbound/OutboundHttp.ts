import {
  type AddressRules,
  checkAddress,
  checkName,
  type Endpoint,
  ownNames,
  withOwnAddresses
} from "@troupe/domain/network/AddressRules"
import { normalHost } from "@troupe/domain/network/hosts"
import { isIPv4, isIPv6 } from "@troupe/domain/network/ip"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { Context, Layer, Result, Schema } from "effect"
import { lookup } from "node:dns"
import { lookup as lookupNow } from "node:dns/promises"
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http"
import { request as httpsRequest } from "node:https"
import type { LookupFunction } from "node:net"
import { networkInterfaces } from "node:os"
import * as tls from "node:tls"

/** A request was made, or begun, and had no answer that can be read. */
export class OutboundFailed extends Schema.TaggedError<OutboundFailed>()("OutboundFailed", {
  host: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.host} gave no answer: ${this.detail}`
  }
}

export type OutboundFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * Small requests of a node to addresses that somebody chose, by the rules that runners keep: every address is checked after
 * the name was looked up, and the connection goes to the address that was checked. No redirect is followed.
 */
export class OutboundHttp extends Context.Service<
  OutboundHttp,
  {
    /** Fails with `EgressRefused` or `OutboundFailed`. */
    readonly fetch: OutboundFetch
  }
>()("server/OutboundHttp") {
  static readonly layer = (rules: AddressRules): Layer.Layer<OutboundHttp> =>
    Layer.succeed(OutboundHttp, OutboundHttp.of({ fetch: (url, init) => exchange(rules, new URL(url), init ?? {}) }))
}

const bytesMax = 1_048_576
const headerBytesMax = 65_536
/** From the first byte to the last one. */
const withinMs = 15_000

let trusted: ReadonlyArray<string> | undefined

/** Whom this host's own programs believe, beside those that come with Node: an installation may have authorities of its own. */
const authorities = (): Array<string> => {
  const from = (where: "default" | "system") => tls.getCACertificates?.(where) ?? tls.rootCertificates
  trusted ??= [...new Set([...from("default"), ...from("system")])]
  return [...trusted]
}

const ownAddresses = () =>
  new Set(Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)))

const endpointOf = (url: URL): Endpoint => {
  const host = normalHost(url.hostname)
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  if (host !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") {
    return { host, port }
  }
  throw new EgressRefused({ code: "host_invalid", host: url.hostname, port, detail: "nothing is fetched from there" })
}

/** Looks a name up, and gives those of its addresses that may be reached; the first refusal where there is none. */
const checkedLookup =
  (rules: AddressRules, asked: Endpoint): LookupFunction =>
  (name, options, done) => {
    lookup(name, { all: true, verbatim: true }, (error, found) => {
      if (error !== null) return done(error, [])
      const own = ownAddresses()
      const checked = found.map((one) => ({ one, result: checkAddress(rules, asked, one.address, own) }))
      const allowed = checked.flatMap(({ one, result }) => (Result.isSuccess(result) ? [one] : []))
      const [first] = allowed
      if (first === undefined) {
        const [refusal] = checked.flatMap(({ result }) => (Result.isFailure(result) ? [result.failure] : []))
        return done(refusal ?? new OutboundFailed({ host: asked.host, detail: "it has no address" }), [])
      }
      return options.all === true ? done(null, allowed) : done(null, first.address, first.family)
    })
  }

/** Of the text and form bodies that are sent here. */
const bodyOf = ({ body }: RequestInit): string | undefined =>
  body === undefined || body === null
    ? undefined
    : typeof body === "string"
      ? body
      : (body as URLSearchParams).toString()

/** One that has no address now can't be reached by another name either. */
const addressesOf = (name: string): Promise<ReadonlyArray<string>> =>
  lookupNow(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => []
  )

const exchange = async (given: AddressRules, url: URL, init: RequestInit): Promise<Response> => {
  const asked = endpointOf(url)
  const own = await Promise.all(ownNames(given, asked.port).map(addressesOf))
  const rules = withOwnAddresses(given, asked.port, own.flat())
  Result.getOrThrow(checkName(rules, asked))
  if (isIPv4(asked.host) || isIPv6(asked.host)) {
    Result.getOrThrow(checkAddress(rules, asked, asked.host, ownAddresses()))
  }
  const body = bodyOf(init)
  const headers = new Headers(init.headers)
  headers.set("accept-encoding", "identity")
  headers.set("user-agent", "troupe")
  if (body !== undefined) headers.set("content-length", String(Buffer.byteLength(body)))
  return await send(asked, url, body, {
    hostname: asked.host,
    port: asked.port,
    path: `${url.pathname}${url.search}`,
    method: init.method ?? "GET",
    headers: { ...Object.fromEntries(headers), host: url.host },
    agent: false,
    maxHeaderSize: headerBytesMax,
    lookup: checkedLookup(rules, asked),
    signal: AbortSignal.timeout(withinMs)
  })
}

const send = (asked: Endpoint, url: URL, body: string | undefined, options: RequestOptions) =>
  new Promise<Response>((resolve, reject) => {
    const fail = (detail: string) => reject(new OutboundFailed({ host: asked.host, detail }))
    const failed = (cause: NodeJS.ErrnoException) =>
      cause instanceof EgressRefused || cause instanceof OutboundFailed
        ? reject(cause)
        : fail(cause.name === "TimeoutError" ? `not within ${withinMs} ms` : (cause.code ?? "the connection broke"))
    const outgoing = url.protocol === "https:" ? httpsRequest({ ...options, ca: authorities() }) : httpRequest(options)
    outgoing.on("error", failed)
    outgoing.once("upgrade", (_answer, socket) => {
      socket.destroy()
      fail("it changed the protocol")
    })
    outgoing.once("response", (answer) => {
      answer.on("error", failed)
      collect(answer, (bytes) => {
        if (bytes === null) {
          outgoing.destroy()
          fail("its answer is too large")
        } else resolve(responseOf(answer, bytes))
      })
    })
    outgoing.end(body)
  })

const collect = (answer: IncomingMessage, done: (bytes: Buffer | null) => void) => {
  const chunks: Array<Buffer> = []
  let size = 0
  answer.on("data", (chunk: Buffer) => {
    size += chunk.length
    if (size > bytesMax) done(null)
    else chunks.push(chunk)
  })
  answer.once("end", () => done(Buffer.concat(chunks)))
}

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

const responseOf = ({ headersDistinct, statusCode = 502 }: IncomingMessage, bytes: Buffer): Response => {
  const headers = new Headers()
  for (const [name, values] of Object.entries(headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const status = statusCode >= 200 && statusCode <= 599 ? statusCode : 502
  return new Response(bodiless.has(status) ? null : new Uint8Array(bytes), { status, headers })
}
