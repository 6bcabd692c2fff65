import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { request as httpRequest, type RequestListener } from "node:http"
import type { Duplex } from "node:stream"
import { connect, type TLSSocket } from "node:tls"
import { describe } from "vitest"
import type { Rewrite } from "../../src/egress/Interception.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { SafeFetch } from "../../src/egress/SafeFetch.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { outbound } from "../support/outbound.ts"
import { openProxy, tunnelTo, type WorldOptions } from "../support/proxyWorld.ts"
import { testSite } from "../support/TestSite.ts"

const tell: RequestListener = (request, response) => {
  let body = ""
  request.on("data", (chunk: Buffer) => (body += chunk.toString()))
  request.on("end", () => response.end(JSON.stringify({ url: request.url, headers: request.headers, body })))
}

const names = { "site.test": ["127.0.0.1"] }
const withKey: Rewrite = () => Effect.succeed({ authorization: "Bearer real", "x-placeholder": null })

/** A proxy before an HTTPS site; without rewrites, it passes its bytes on unread. */
const world = Effect.fnUntraced(function* (
  rewrites: WorldOptions["rewrites"],
  listener: RequestListener = tell,
  trusts = true
) {
  const site = yield* testSite("site.test", listener)
  const proxy = yield* openProxy({
    alsoAllowed: [site.authority],
    names,
    certificates: trusts ? [site.ca] : [],
    ...(rewrites === undefined ? {} : { rewrites })
  })
  return { site, proxy }
})

type World = Effect.Success<ReturnType<typeof world>>

/** TLS through the proxy, as a program in the sandbox has it: it trusts what the bundle holds. */
const enter = Effect.fnUntraced(function* ({ proxy, site }: World) {
  const { socket } = yield* tunnelTo(proxy.socketPath, site.authority)
  return yield* Effect.acquireRelease(
    Effect.callback<TLSSocket>((resume) => {
      const ca = readFileSync(proxy.bundlePath, "utf8")
      const secured = connect({ socket, servername: "site.test", ca }, () => resume(Effect.succeed(secured)))
      secured.on("error", (error) => resume(Effect.die(error)))
    }),
    (secured) => Effect.sync(() => secured.destroy())
  )
})

const ask = (
  { site }: World,
  connection: Duplex,
  { body, headers = {}, path = "/" }: { path?: string; headers?: Record<string, string>; body?: string } = {}
) =>
  Effect.callback<{ status: number; body: string }>((resume) => {
    const request = httpRequest(
      {
        createConnection: () => connection,
        path,
        method: body === undefined ? "GET" : "POST",
        headers: { host: site.authority, connection: "keep-alive", ...headers }
      },
      (response) => {
        let text = ""
        response.on("data", (chunk: Buffer) => (text += chunk.toString()))
        response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body: text })))
      }
    )
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
  })

describe("TLS through the proxy", () => {
  it.live("is the other side's own, unless an interception wants it", () =>
    Effect.gen(function* () {
      const there = yield* world(undefined)
      const connection = yield* enter(there)
      assert.strictEqual(connection.getPeerX509Certificate()?.issuer, "CN=Outside")
      const { body } = yield* ask(there, connection)
      assert.notProperty(JSON.parse(body).headers, "authorization")
    })
  )

  it.live("is ended where that is wanted, and the request goes on with what the sandbox never had", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey })
      const connection = yield* enter(there)
      assert.match(connection.getPeerX509Certificate()!.issuer, /^CN=Troupe sandbox sbx_/)
      const headers = { "X-Placeholder": "x", Authorization: "Bearer fake", "X-Own": "1" }
      const { body, status } = yield* ask(there, connection, { path: "/a?b", headers, body: "ping" })
      const seen = JSON.parse(body)
      assert.strictEqual(status, 200)
      assert.deepInclude(seen, { url: "/a?b", body: "ping" })
      assert.strictEqual(seen.headers.authorization, "Bearer real")
      assert.strictEqual(seen.headers["x-own"], "1")
      assert.strictEqual(seen.headers.host, there.site.authority)
      assert.notProperty(seen.headers, "x-placeholder")
      const [record] = yield* there.proxy.recorded(1)
      assert.deepInclude(record, {
        kind: "intercepted",
        method: "POST",
        host: "site.test",
        address: "127.0.0.1",
        status: 200,
        bytesUp: 4
      })
      assert.notInclude(JSON.stringify(there.proxy.records), "real")
    })
  )

  it.live("that is ended serves request after request, over one connection to the other side", () =>
    Effect.gen(function* () {
      let connections = 0
      const there = yield* world({ "site.test": withKey })
      there.site.server.on("secureConnection", () => connections++)
      const { socket } = yield* tunnelTo(there.proxy.socketPath, there.site.authority)
      const ca = readFileSync(there.proxy.bundlePath, "utf8")
      const secured = connect({ socket, servername: "site.test", ca })
      const one = `GET / HTTP/1.1\r\nHost: ${there.site.authority}\r\n\r\n`
      let text = ""
      secured.on("data", (chunk: Buffer) => {
        const before = text.split("HTTP/1.1 200").length
        text += chunk.toString()
        if (text.split("HTTP/1.1 200").length > before && before < 4) secured.write(one)
      })
      secured.write(one)
      yield* there.proxy.recorded(4)
      secured.destroy()
      assert.strictEqual(connections, 1)
    })
  )

  it.live("that is ended takes no request for somebody else", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey })
      for (const headers of [{ host: "evil.test" }, { host: "site.test:1" }]) {
        const { status } = yield* ask(there, yield* enter(there), { headers })
        assert.strictEqual(status, 400)
      }
      const { status } = yield* ask(there, yield* enter(there), { path: "http://evil.test/" })
      assert.strictEqual(status, 400)
      const connection = yield* enter(there)
      connection.write(`CONNECT ${there.site.authority} HTTP/1.1\r\n\r\n`)
      const [answer] = yield* Effect.promise(() => once(connection, "data"))
      assert.match(String(answer), /^HTTP\/1\.1 400 /)
    })
  )

  it.live("that is ended can be refused for a request", () =>
    Effect.gen(function* () {
      const detail = "the vault has no such key"
      const there = yield* world({
        "site.test": () =>
          Effect.fail(new EgressRefused({ code: "host_not_allowed", host: "site.test", port: 1, detail }))
      })
      const { body, status } = yield* ask(there, yield* enter(there))
      assert.strictEqual(status, 403)
      assert.include(body, detail)
    })
  )

  it.live("that is ended goes on only to whom the host's authorities vouch for", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey }, tell, false)
      const { body, status } = yield* ask(there, yield* enter(there))
      assert.strictEqual(status, 502)
      assert.include(body, "(tls)")
    })
  )

  it.live("that is ended cuts the connection when the rewriting fails", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": () => Effect.die(new Error("a bug")) })
      const connection = yield* enter(there)
      connection.write(`GET / HTTP/1.1\r\nHost: ${there.site.authority}\r\n\r\n`)
      yield* Effect.promise(() => new Promise((resolve) => connection.once("close", resolve)))
      assert.deepStrictEqual((yield* there.proxy.recorded(1))[0]?.outcome, { _tag: "Failed", reason: "defect" })
    })
  )

  it.live("with something else than TLS in it is cut", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey })
      const { socket } = yield* tunnelTo(there.proxy.socketPath, there.site.authority)
      socket.end("GET / HTTP/1.1\r\n\r\n")
      assert.deepStrictEqual((yield* there.proxy.recorded(1))[0]?.outcome, { _tag: "Failed", reason: "tls" })
      socket.destroy()
    })
  )

  it.live("that is ended lets WebSockets through, with the credentials", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey })
      there.site.server.on("upgrade", (request, socket) => {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`
        )
        socket.write(`${request.headers.authorization};`)
        socket.pipe(socket)
      })
      const connection = yield* enter(there)
      const seen = new Promise<string>((resolve) => {
        let text = ""
        connection.on("data", (chunk: Buffer) => {
          text += chunk.toString()
          if (text.endsWith("ping")) resolve(text)
        })
      })
      connection.write(
        `GET /ws HTTP/1.1\r\nHost: ${there.site.authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nping`
      )
      const text = yield* Effect.promise(() => seen)
      assert.match(text, /^HTTP\/1\.1 101 /)
      assert.match(text, /\r\n\r\nBearer real;ping$/)
    })
  )

  it.live("that is ended passes on a refusal of a WebSocket", () =>
    Effect.gen(function* () {
      const there = yield* world({ "site.test": withKey }, (_request, response) => response.writeHead(426).end("no"))
      const connection = yield* enter(there)
      const seen = new Promise<string>((resolve) => {
        let text = ""
        connection.on("data", (chunk: Buffer) => (text += chunk.toString()))
        connection.once("end", () => resolve(text))
      })
      connection.write(
        `GET /ws HTTP/1.1\r\nHost: ${there.site.authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
      )
      assert.match(yield* Effect.promise(() => seen), /^HTTP\/1\.1 426 [^]*no/)
    })
  )
})

describe("Our own fetching over TLS", () => {
  const fetched = (host: string, trusts: boolean) =>
    Effect.gen(function* () {
      const site = yield* testSite("site.test", tell)
      const layer = SafeFetch.layer.pipe(
        Layer.provide([
          outbound([`${host}:${site.port}`], { ...names, "other.test": ["127.0.0.1"] }),
          Layer.orDie(TrustStore.layer(trusts ? [site.ca] : []))
        ])
      )
      return yield* Effect.flatMap(SafeFetch, ({ fetch }) => fetch({ url: `https://${host}:${site.port}/` })).pipe(
        Effect.map(({ status }) => String(status)),
        Effect.catch((error) => Effect.succeed(error.reason as string)),
        Effect.provide(layer)
      )
    }).pipe(Effect.scoped)

  it.live.each<[string, string, boolean, string]>([
    ["reads from whom it trusts", "site.test", true, "200"],
    ["fails with whom it does not trust", "site.test", false, "tls"],
    ["fails with whom it trusts under another name", "other.test", true, "tls"]
  ])("%s", ([, host, trusts, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* fetched(host, trusts), expected)
    })
  )
})
