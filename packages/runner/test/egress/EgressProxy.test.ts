import { assert, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { Agent, createServer as createHttpServer, request as httpRequest, type RequestListener } from "node:http"
import { createServer, type Socket } from "node:net"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { describe } from "vitest"
import { httpServer, listening } from "../support/LocalServer.ts"
import { ids, openProxy, raw, readAll, tunnelTo } from "../support/proxyWorld.ts"

const echo = () => createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))

const site = { "site.test": ["127.0.0.1"], "other.test": ["127.0.0.1"], "inner.test": ["127.0.0.1"] }

describe("A tunnel", () => {
  it.live("passes bytes both ways, ends as its sides do, and is on record", () =>
    Effect.gen(function* () {
      const port = yield* listening(echo())
      const proxy = yield* openProxy({ alsoAllowed: [`site.test:${port}`], names: site })
      const { socket, status } = yield* tunnelTo(proxy.socketPath, `Site.Test.:${port}`, "early ")
      assert.strictEqual(status, 200)
      socket.end("hello")
      assert.strictEqual(yield* readAll(socket), "early hello")
      const [record] = yield* proxy.recorded(1)
      assert.deepInclude(record, {
        ...ids,
        kind: "tunnel",
        method: "CONNECT",
        host: "site.test",
        port,
        address: "127.0.0.1",
        bytesUp: 11,
        bytesDown: 11,
        status: 200,
        outcome: { _tag: "Forwarded" }
      })
    })
  )

  it.live("lets one side go on after the other has said all", () =>
    Effect.gen(function* () {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        let text = ""
        socket.on("data", (chunk) => (text += chunk.toString()))
        socket.on("end", () => setTimeout(() => socket.end(`heard ${text}`), 100))
      })
      const port = yield* listening(server)
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
      socket.end("it")
      assert.strictEqual(yield* readAll(socket), "heard it")
    })
  )

  it.live.each<[string, (port: number) => string, number, string]>([
    ["a private address", () => "10.0.0.1:443", 403, "address_not_public"],
    ["the loopback", (port) => `127.0.0.2:${port}`, 403, "address_not_public"],
    ["the loopback in IPv6", (port) => `[::1]:${port}`, 403, "address_not_public"],
    ["the loopback, mapped", (port) => `[::ffff:127.0.0.2]:${port}`, 403, "address_not_public"],
    ["the loopback as a number", (port) => `2130706434:${port}`, 403, "address_not_public"],
    ["a metadata service", () => "169.254.169.254:80", 403, "address_not_public"],
    ["a name that leads inside", (port) => `inner.test:${port}`, 403, "address_not_public"],
    ["our own database", () => "127.0.0.1:5432", 403, "own_service"],
    ["a mail server", () => "1.1.1.1:25", 403, "mail_not_allowed"],
    ["no port", () => "site.test", 400, "request_invalid"],
    ["no host", () => ":443", 400, "request_invalid"],
    ["a zone", () => "[fe80::1%25eth0]:443", 400, "request_invalid"],
    ["a name without an address", () => "nowhere.test:443", 502, "name"]
  ])("to %s is refused", ([, authority, status, code]) =>
    Effect.gen(function* () {
      const port = yield* listening(echo())
      const proxy = yield* openProxy({ alsoAllowed: [`site.test:${port}`], ours: ["localhost:5432"], names: site })
      const reply = yield* tunnelTo(proxy.socketPath, authority(port))
      assert.strictEqual(reply.status, status)
      assert.include(reply.head, `x-troupe-egress: ${code}`)
      assert.isNotEmpty(reply.body)
      const [record] = yield* proxy.recorded(1)
      assert.strictEqual(record?.status, status)
    })
  )

  it.live("is counted, by what became of it", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy({ policy: { type: "none" } })
      const counted = Effect.map(Metric.snapshot, (metrics) =>
        metrics.flatMap(({ attributes, id, state }) =>
          id === "troupe_egress_requests" && attributes?.["reason"] === "network_off" && "count" in state
            ? [Number(state.count)]
            : []
        )
      )
      const [before = 0] = yield* counted
      yield* tunnelTo(proxy.socketPath, "example.com:443")
      yield* proxy.recorded(1)
      assert.deepStrictEqual(yield* counted, [before + 1])
    })
  )

  it.live("that is refused says where to and why", () =>
    Effect.gen(function* () {
      const policy = { type: "limited", allowedHosts: ["a.test"], allowMcpServers: false, allowPackageManagers: false }
      const proxy = yield* openProxy({ policy: policy as never })
      const { body } = yield* tunnelTo(proxy.socketPath, "b.test:443")
      assert.strictEqual(
        body,
        "Connecting to b.test:443 is refused (host_not_allowed): the environment's network policy does not list this host\n"
      )
    })
  )

  it.live("goes to the address that was checked, whatever the name says a moment later", () =>
    Effect.gen(function* () {
      let reached = 0
      const port = yield* listening(createServer(() => reached++))
      let asked = 0
      const proxy = yield* openProxy({
        names: { "rebind.test": () => (asked++ % 2 === 0 ? ["192.168.7.7"] : ["127.0.0.1"]) }
      })
      for (let i = 1; i <= 10; i++) {
        assert.strictEqual((yield* tunnelTo(proxy.socketPath, `rebind.test:${port}`)).status, 403)
        assert.strictEqual(asked, i)
      }
      assert.strictEqual(reached, 0)
    })
  )

  it.live("tries the next address where one does not answer, and none that is not public", () =>
    Effect.gen(function* () {
      const port = yield* listening(echo())
      const proxy = yield* openProxy({
        alsoAllowed: [`127.0.0.3:${port}`, `127.0.0.1:${port}`],
        names: { "many.test": ["169.254.169.254", "127.0.0.3", "127.0.0.1"] }
      })
      const { socket, status } = yield* tunnelTo(proxy.socketPath, `many.test:${port}`)
      assert.strictEqual(status, 200)
      socket.destroy()
      assert.strictEqual((yield* proxy.recorded(1))[0]?.address, "127.0.0.1")
    })
  )

  it.live("to nothing is 502, to silence 504", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(listening(echo()))
      const proxy = yield* openProxy({
        alsoAllowed: [`127.0.0.1:${port}`],
        names: { "silent.test": "silent" },
        timeouts: { connectMs: 20_000, dialMs: 1_000 }
      })
      assert.strictEqual((yield* tunnelTo(proxy.socketPath, "silent.test:443")).status, 504)
      const reply = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
      assert.strictEqual(reply.status, 502)
      assert.include(reply.body, "ECONNREFUSED")
    })
  )

  it.live("is cut when nothing comes for too long", () =>
    Effect.gen(function* () {
      const port = yield* listening(createServer(() => {}))
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`], limits: { idleMs: 200 } })
      const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
      assert.strictEqual(yield* readAll(socket), "")
      assert.deepStrictEqual((yield* proxy.recorded(1))[0]?.outcome, { _tag: "Failed", reason: "idle" })
    })
  )

  it.live("that breaks on one side breaks on the other", () =>
    Effect.gen(function* () {
      const port = yield* listening(createServer((socket) => socket.once("data", () => socket.resetAndDestroy())))
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
      socket.write("x")
      assert.strictEqual(yield* readAll(socket), "")
      assert.deepStrictEqual((yield* proxy.recorded(1))[0]?.outcome, { _tag: "Failed", reason: "broken" })
    })
  )
})

/** A plain request through the proxy, as programs make them. */
const ask = (
  socketPath: string,
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; agent?: Agent } = {}
) =>
  Effect.promise(
    () =>
      new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
        const request = httpRequest(
          {
            socketPath,
            path: url,
            method: options.method ?? "GET",
            headers: options.headers ?? {},
            agent: options.agent ?? false
          },
          (response) => {
            let body = ""
            response.on("data", (chunk: Buffer) => (body += chunk.toString()))
            response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
            response.on("error", reject)
          }
        )
        request.on("error", reject)
        request.end(options.body)
      })
  )

/** One connection to the proxy for one request after the other. */
const keptConnection = Effect.acquireRelease(
  Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 1 })),
  (agent) => Effect.sync(() => agent.destroy())
)

const tell: RequestListener = (request, response) => {
  let body = ""
  request.on("data", (chunk: Buffer) => (body += chunk.toString()))
  request.on("end", () => {
    response.setHeader("x-twice", ["a", "b"])
    response.setHeader("connection", "x-hop")
    response.setHeader("x-hop", "1")
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
  })
}

describe("A plain request", () => {
  it.live("goes on with its own headers and without those of the connection", () =>
    Effect.gen(function* () {
      const port = yield* httpServer(tell)
      const proxy = yield* openProxy({ alsoAllowed: [`site.test:${port}`], names: site })
      const answer = yield* ask(proxy.socketPath, `http://site.test:${port}/a/../b?c=%7e`, {
        method: "POST",
        headers: {
          "X-Own": "1",
          Host: "evil.test",
          "Proxy-Authorization": "Basic x",
          "Proxy-Connection": "keep-alive",
          Connection: "close, x-listed",
          "X-Listed": "1"
        },
        body: "ping"
      })
      const seen = JSON.parse(answer.body)
      assert.deepInclude(seen, { method: "POST", url: "/a/../b?c=%7e", body: "ping" })
      assert.strictEqual(seen.headers.host, `site.test:${port}`)
      assert.strictEqual(seen.headers["x-own"], "1")
      for (const gone of ["proxy-authorization", "proxy-connection", "x-listed"]) assert.notProperty(seen.headers, gone)
      assert.strictEqual(answer.headers["x-twice"], "a, b")
      assert.notProperty(answer.headers, "x-hop")
      assert.deepInclude((yield* proxy.recorded(1))[0], {
        kind: "http",
        method: "POST",
        host: "site.test",
        port,
        address: "127.0.0.1",
        status: 200,
        bytesUp: 4
      })
    })
  )

  it.live("that is refused is a 403 with a sentence", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy({ names: site })
      const answer = yield* ask(proxy.socketPath, "http://inner.test/")
      assert.strictEqual(answer.status, 403)
      assert.match(answer.body, /127\.0\.0\.1 is not a public address \(loopback\)/)
      assert.strictEqual(answer.headers["x-troupe-egress"], "address_not_public")
    })
  )

  it.live("of another form is a 400: this is a proxy and no server", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy()
      for (const url of ["/", "https://site.test/", "http://u:p@site.test/", "http:///", "*", "http://a b/"]) {
        const answer = yield* raw(proxy.socketPath, `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 400 /, url)
      }
    })
  )

  it.live("shares a connection with those after it, on both sides", () =>
    Effect.gen(function* () {
      let connections = 0
      const server = createHttpServer((request, response) => response.end(request.url))
      server.on("connection", () => connections++)
      const port = yield* listening(server)
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const agent = yield* keptConnection
      for (const path of ["/a", "/b", "/c"]) {
        const { body } = yield* ask(proxy.socketPath, `http://127.0.0.1:${port}${path}`, { agent })
        assert.strictEqual(body, path)
      }
      assert.strictEqual(connections, 1)
    })
  )

  it.live("is made again where a kept connection has ended meanwhile", () =>
    Effect.gen(function* () {
      const used = new WeakSet<Socket>()
      const server = createHttpServer((request, response) => {
        // As a server that ends its idle connections in the moment in which a request is on its way.
        if (used.has(request.socket)) request.socket.resetAndDestroy()
        else response.end("once")
        used.add(request.socket)
      })
      const port = yield* listening(server)
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const agent = yield* keptConnection
      for (let i = 0; i < 6; i++) {
        const { status } = yield* ask(proxy.socketPath, `http://127.0.0.1:${port}/`, { agent })
        assert.strictEqual(status, 200)
      }
      assert.deepStrictEqual(
        proxy.records.flatMap(({ outcome }) => outcome._tag).filter((tag) => tag !== "Forwarded"),
        []
      )
    })
  )

  it.live("that the other side breaks off is broken off here, so that nobody takes it for whole", () =>
    Effect.gen(function* () {
      const port = yield* httpServer((_request, response) => {
        response.writeHead(200, { "content-length": "1000" })
        response.write("some", () => response.socket?.resetAndDestroy())
      })
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const answer = yield* raw(proxy.socketPath, `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
      assert.match(answer, /some$/)
      assert.deepStrictEqual((yield* proxy.recorded(1))[0]?.outcome, { _tag: "Failed", reason: "broken" })
    })
  )

  it.live("that is answered before it was read whole gets that answer", () =>
    Effect.gen(function* () {
      const port = yield* httpServer((_request, response) => response.writeHead(413).end("too much"))
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const answer = yield* ask(proxy.socketPath, `http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { expect: "100-continue" },
        body: "x".repeat(5_000_000)
      })
      assert.deepInclude(answer, { status: 413, body: "too much" })
    })
  )

  it.live("to a server that says nothing is 504", () =>
    Effect.gen(function* () {
      const port = yield* httpServer(() => {})
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`], limits: { idleMs: 300 } })
      const answer = yield* raw(
        proxy.socketPath,
        `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 504 /)
    })
  )

  it.live("with a body of unknown length keeps its frame, whatever the method", () =>
    Effect.gen(function* () {
      const port = yield* httpServer(tell)
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      const answer = yield* raw(
        proxy.socketPath,
        `DELETE http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
          "14\r\nGET /evil HTTP/1.1\r\n\r\n0\r\n\r\n"
      )
      assert.include(answer, `"body":"GET /evil HTTP/1.1\\r\\n"`)
      assert.strictEqual(answer.match(/HTTP\/1\.1 200/g)?.length, 1)
    })
  )
})

describe("What is no request", () => {
  it.live.each<[string, string, RegExp]>([
    ["garbage", "\0\xff\x16\x03\x01 garbage\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400 /],
    [
      "a length and chunks at once",
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /
    ],
    [
      "two lengths",
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      /^HTTP\/1\.1 400 /
    ],
    [
      "an encoding we don't know",
      "POST http://a.test/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /
    ],
    ["a head without end", `GET http://a/ HTTP/1.1\r\nx: ${"x".repeat(100_000)}`, /^HTTP\/1\.1 431 /],
    ["a header without a name", "GET http://a/ HTTP/1.1\r\n: x\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a line feed in the target", "CONNECT a\n:443 HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /]
  ])("%s is answered with an error, and the next one is served", ([, bytes, expected]) =>
    Effect.gen(function* () {
      const port = yield* listening(echo())
      const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
      assert.match(yield* raw(proxy.socketPath, bytes), expected)
      const { socket, status } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
      assert.strictEqual(status, 200)
      socket.destroy()
    })
  )

  it.live("and comes too slowly is cut", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy({ limits: { headersMs: 300 } })
      const [silent, slow] = yield* Effect.all(
        [raw(proxy.socketPath, ""), raw(proxy.socketPath, "GET http://a/ HTTP/1.1\r\nx: ")],
        { concurrency: 2 }
      )
      assert.match(silent, /^(HTTP\/1\.1 408 |$)/)
      assert.match(slow, /^HTTP\/1\.1 408 /)
    })
  )
})

describe("The socket", () => {
  it.live("is its owner's alone", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy({ owner: { uid: process.getuid!(), gid: process.getgid!() } })
      assert.strictEqual(statSync(proxy.socketPath).mode & 0o777, 0o600)
      assert.strictEqual(statSync(proxy.bundlePath).mode & 0o777, 0o644)
    })
  )

  it.live("is gone with its scope, and with it every connection", () =>
    Effect.gen(function* () {
      const held = new Set<Socket>()
      const server = createServer((socket) => {
        held.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => held.delete(socket))
      })
      const port = yield* listening(server)
      const inside = yield* Effect.scoped(
        Effect.gen(function* () {
          const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
          const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
          assert.strictEqual(held.size, 1)
          return { ...proxy, socket }
        })
      )
      yield* readAll(inside.socket)
      assert.isFalse(existsSync(inside.socketPath))
      assert.deepStrictEqual(
        inside.records.map(({ outcome }) => outcome._tag),
        ["Stopped"]
      )
      yield* Effect.promise(
        () =>
          new Promise<void>((resolve) => (held.size === 0 ? resolve() : [...held][0]!.once("close", () => resolve())))
      )
    })
  )

  it.live("takes the place of one that was left behind, but of nothing else", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy()
      // The same path again: the first one's socket is there, as after a crash.
      yield* Effect.scoped(proxy.openAt(proxy.socketPath))
      writeFileSync(proxy.socketPath, "precious")
      const error = yield* Effect.flip(Effect.scoped(proxy.openAt(proxy.socketPath)))
      assert.strictEqual(error._tag, "EgressProxyError")
    })
  )

  it.live("can't have a path that the kernel would cut", () =>
    Effect.gen(function* () {
      const { openAt, directory } = yield* openProxy()
      const error = yield* Effect.flip(Effect.scoped(openAt(`${directory}/${"x".repeat(100)}`)))
      assert.match(error.message, /its path is over 107 bytes/)
    })
  )
})
