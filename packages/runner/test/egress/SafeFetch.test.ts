import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { RequestListener } from "node:http"
import { describe } from "vitest"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { SafeFetch, type SafeRequest } from "../../src/egress/SafeFetch.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { httpServer } from "../support/LocalServer.ts"
import { type Names, outbound } from "../support/outbound.ts"

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Fetches with a server behind `site.test`. */
const fetchFrom = (
  listener: RequestListener,
  request: (port: number) => SafeRequest,
  names: (port: number) => Names = () => ({})
) =>
  Effect.gen(function* () {
    const port = yield* httpServer(listener)
    const layer = SafeFetch.layer.pipe(
      Layer.provide([
        outbound([`site.test:${port}`, `other.test:${port}`], {
          "site.test": ["127.0.0.1"],
          "other.test": ["127.0.0.1"],
          "inner.test": ["127.0.0.1"],
          ...names(port)
        }),
        Layer.orDie(TrustStore.layer())
      ])
    )
    return yield* Effect.flatMap(SafeFetch, ({ fetch }) => fetch(request(port))).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped)

const hello: RequestListener = (_request, response) => response.end("hello")
const site = (path: string) => (port: number) => ({ url: `http://site.test:${port}${path}` })
const reasonOf = <A, E extends { readonly reason: string }>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

describe("Fetching", () => {
  it.live("gives status, headers and bytes", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom((request, response) => {
        response.writeHead(201, { "x-path": request.url, "content-type": "text/plain" })
        response.end("hello")
      }, site("/a?b=c#d"))
      assert.strictEqual(seen.status, 201)
      assert.strictEqual(seen.headers["x-path"], "/a?b=c")
      assert.strictEqual(text(seen.bytes), "hello")
      assert.isFalse(seen.truncated)
    })
  )

  it.live("sends a body and the caller's headers, but none that are ours to send", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        (request, response) => {
          request.pipe(response.writeHead(200, { "x-host": request.headers.host, "x-key": request.headers["x-key"] }))
        },
        (port) => ({
          url: `http://site.test:${port}/`,
          method: "POST",
          headers: { "X-Key": "k", Host: "evil.test", "Transfer-Encoding": "chunked" },
          body: new TextEncoder().encode("ping")
        })
      )
      assert.strictEqual(text(seen.bytes), "ping")
      assert.match(seen.headers["x-host"] ?? "", /^site\.test:/)
      assert.strictEqual(seen.headers["x-key"], "k")
    })
  )

  it.live.each<[string, Buffer]>([
    ["gzip", gzipSync("squeezed")],
    ["br", brotliCompressSync("squeezed")],
    ["identity", Buffer.from("squeezed")]
  ])("reads a body in %s", ([encoding, bytes]) =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        (_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(bytes),
        site("/")
      )
      assert.strictEqual(text(seen.bytes), "squeezed")
    })
  )

  it.live("stops at the limit and says so", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        (_request, response) => {
          const more = (): void => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536, "x")));
          }
          response.on("drain", more)
          more()
        },
        (port) => ({ url: `http://site.test:${port}/`, maxBytes: 100_000 })
      )
      assert.strictEqual(seen.bytes.length, 100_000)
      assert.isTrue(seen.truncated)
    })
  )

  it.live("does not unpack what a small body could become", () =>
    Effect.gen(function* () {
      const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
      assert.isBelow(bomb.length, 1024 * 1024)
      const before = process.memoryUsage().rss
      const seen = yield* fetchFrom(
        (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb),
        (port) => ({ url: `http://site.test:${port}/`, maxBytes: 1_000_000 })
      )
      assert.strictEqual(seen.bytes.length, 1_000_000)
      assert.isTrue(seen.truncated)
      assert.isBelow(process.memoryUsage().rss - before, 100 * 1024 * 1024)
    })
  )

  it.live("is whole at exactly the limit", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(hello, (port) => ({ url: `http://site.test:${port}/`, maxBytes: 5 }))
      assert.strictEqual(text(seen.bytes), "hello")
      assert.isFalse(seen.truncated)
    })
  )

  it.live("has no body where there is none", () =>
    Effect.gen(function* () {
      const listener: RequestListener = (request, response) =>
        response.writeHead(request.url === "/none" ? 204 : 200, { "content-encoding": "gzip" }).end()
      const head = yield* fetchFrom(listener, (port) => ({ url: `http://site.test:${port}/`, method: "HEAD" }))
      assert.strictEqual(head.bytes.length, 0)
      assert.strictEqual((yield* fetchFrom(listener, site("/none"))).bytes.length, 0)
    })
  )
})

describe("A redirect", () => {
  const to = (location: (port: number, url: string) => string | undefined, status = 302): RequestListener =>
    function (request, response) {
      const target = location(request.socket.localPort ?? 0, request.url ?? "")
      if (target === undefined) {
        response.end(JSON.stringify({ method: request.method, headers: request.headers }))
        return
      }
      response.writeHead(status, { location: target }).end("elsewhere")
    }

  it.live("is followed, and the last URL is told", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        to((_port, url) => (url === "/a" ? "/b" : undefined)),
        site("/a")
      )
      assert.strictEqual(new URL(seen.url).pathname, "/b")
    })
  )

  it.live("takes no secret to another origin", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        to((port, url) => (url === "/a" ? `http://other.test:${port}/b` : undefined)),
        (port) => ({
          url: `http://site.test:${port}/a`,
          headers: { authorization: "secret", "X-Api-Key": "secret", cookie: "secret", "user-agent": "Troupe" }
        })
      )
      assert.notInclude(text(seen.bytes), "secret")
      assert.include(text(seen.bytes), "Troupe")
    })
  )

  it.live("turns a POST into a GET, without its body", () =>
    Effect.gen(function* () {
      const seen = yield* fetchFrom(
        to((_port, url) => (url === "/a" ? "/b" : undefined), 303),
        (port) => ({ url: `http://site.test:${port}/a`, method: "POST", body: new Uint8Array(3) })
      )
      assert.strictEqual(JSON.parse(text(seen.bytes)).method, "GET")
    })
  )

  it.live.each<[string, (port: number, url: string) => string, string]>([
    ["to an inner host", (port) => `http://inner.test:${port}/`, "address"],
    ["to the loopback", (port) => `http://127.0.0.1:${port}/`, "address"],
    ["to the loopback, oddly spelled", (port) => `http://0x7f.1:${port}/`, "address"],
    ["to a metadata service", () => "http://169.254.169.254/latest/meta-data/", "address"],
    ["to a file", () => "file:///etc/passwd", "protocol"],
    ["with a password", (port) => `http://u:p@site.test:${port}/`, "credentials"],
    ["for ever", () => "/again", "redirects"]
  ])("%s is refused", ([, location, reason]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(fetchFrom(to(location), site("/a"))), reason)
    })
  )

  it.live("with a body to another origin is refused", () =>
    Effect.gen(function* () {
      const fetched = fetchFrom(
        to((port) => `http://other.test:${port}/b`, 307),
        (port) => ({ url: `http://site.test:${port}/a`, method: "POST", body: new Uint8Array(3) })
      )
      assert.strictEqual(yield* reasonOf(fetched), "redirects")
    })
  )

  it.live("to what the caller does not want is refused", () =>
    Effect.gen(function* () {
      const fetched = fetchFrom(
        to((port) => `http://other.test:${port}/`),
        (port) => ({
          url: `http://site.test:${port}/a`,
          refuse: (url) => (url.hostname === "other.test" ? "blocked" : undefined)
        })
      )
      assert.strictEqual(yield* reasonOf(fetched), "not_wanted")
    })
  )
})

describe("What is not fetched", () => {
  it.live.each<[string, string, string]>([
    ["no URL", "::", "url"],
    ["a file", "file:///etc/passwd", "protocol"],
    ["FTP", "ftp://site.test/", "protocol"],
    ["a user name", "http://me@site.test/", "credentials"],
    ["the loopback", "http://localhost/", "address"],
    ["the loopback in IPv6", "http://[::1]/", "address"],
    ["a mapped address", "http://[::ffff:127.0.0.1]/", "address"],
    ["a private address", "http://10.0.0.1/", "address"],
    ["a mail server", "http://1.1.1.1:25/", "port"],
    ["a name without an address", "http://nowhere.test/", "name"]
  ])("%s", ([, url, reason]) =>
    Effect.gen(function* () {
      const names = () => ({ localhost: ["127.0.0.1"] })
      assert.strictEqual(yield* reasonOf(fetchFrom(hello, () => ({ url }), names)), reason)
    })
  )

  it.live("a name that changes its mind: what was checked is what is connected to", () =>
    Effect.gen(function* () {
      let asked = 0
      const names = () => ({ "rebind.test": () => (asked++ === 0 ? ["127.0.0.1"] : ["1.1.1.1"]) })
      const reason = yield* reasonOf(fetchFrom(hello, (port) => ({ url: `http://rebind.test:${port}/` }), names))
      assert.strictEqual(reason, "address")
      assert.strictEqual(asked, 1)
    })
  )

  it.live("an answer that does not come in time", () =>
    Effect.gen(function* () {
      const fetched = fetchFrom(
        () => {},
        (port) => ({ url: `http://site.test:${port}/`, timeoutMs: 200 })
      )
      assert.strictEqual(yield* reasonOf(fetched), "timeout")
    })
  )

  it.live.each<[string, RequestListener, string]>([
    [
      "broken off",
      (_, response) => void response.writeHead(200, { "content-length": "9" }).write("x", () => response.destroy()),
      "protocol"
    ],
    ["that is no HTTP", (request) => request.socket.end("hello?\r\n\r\n"), "protocol"],
    [
      "with endless headers",
      (request) => request.socket.end(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`),
      "protocol"
    ],
    [
      "that is not in gzip as it says",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
      "encoding"
    ],
    [
      "in gzip, cut",
      (_, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(99)).subarray(0, 20)),
      "encoding"
    ],
    [
      "in an unknown encoding",
      (_, response) => response.writeHead(200, { "content-encoding": "zip" }).end("x"),
      "encoding"
    ]
  ])("an answer %s", ([, listener, reason]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(fetchFrom(listener, site("/"))), reason)
    })
  )

  it.live("a header that splits the request", () =>
    Effect.gen(function* () {
      const fetched = fetchFrom(hello, (port) => ({
        url: `http://site.test:${port}/`,
        headers: { "x-a": "b\r\nx-c: d" }
      }))
      assert.strictEqual(yield* reasonOf(fetched), "protocol")
    })
  )
})
