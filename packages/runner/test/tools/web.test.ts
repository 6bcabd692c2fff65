import { assert, describe, it } from "@effect/vitest"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { Effect, Layer, Redacted, Result } from "effect"
import type { IncomingMessage, RequestListener } from "node:http"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { SafeFetch } from "../../src/egress/SafeFetch.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { local } from "../../src/sandbox/Local.ts"
import { domainRefusal } from "../../src/tools/web/domains.ts"
import { renderPage } from "../../src/tools/web/renderPage.ts"
import { tavily } from "../../src/tools/web/Tavily.ts"
import { httpServer } from "../support/LocalServer.ts"
import { outbound } from "../support/outbound.ts"
import { gatewayOf, placeOn, textOf, toolset } from "./world.ts"

const slow = 60_000

/** A server of the test, reachable as `site.test`, and tools that reach it and nothing else. */
const session = Effect.fnUntraced(function* (
  listener: RequestListener,
  options: { readonly config?: JsonObject; readonly search?: boolean; readonly summary?: string } = {}
) {
  const world = yield* placeOn(local())
  const port = yield* httpServer(listener)
  const names = { "site.test": ["127.0.0.1"], "other.test": ["127.0.0.1"], "private.test": ["10.0.0.1"] }
  const way = outbound([`127.0.0.1:${port}`, `site.test:${port}`, `other.test:${port}`], names)
  const fetch = yield* Effect.provide(
    Effect.service(SafeFetch),
    SafeFetch.layer.pipe(Layer.provide([way, TrustStore.layer()]))
  )
  const search =
    options.search === true
      ? tavily({ key: Redacted.make("tvly-secret"), baseUrl: `http://site.test:${port}` }, fetch)
      : null
  const { summary } = options
  const summarizer =
    summary === undefined
      ? null
      : { summarize: ({ prompt }: { prompt: string }) => Effect.succeed(`${prompt}: ${summary}`) }
  const { call, frames, gateway } = gatewayOf({
    place: world.place,
    agentTools: [
      toolset({
        configs: [
          { name: "web_fetch", ...options.config },
          { name: "web_search", ...options.config }
        ]
      })
    ],
    parts: { fetch, search, summarizer }
  })
  const use = (name: string, input: Json) =>
    Effect.map(call(name, input), (result) => {
      if (result._tag !== "Done") return assert.fail("nobody is to be asked")
      return { ...result, text: textOf(result.content), details: frames.last("ToolFinished").details ?? {} }
    })
  return { ...world, use, frames, gateway, port, site: `http://site.test:${port}` }
})

const html =
  (body: string): RequestListener =>
  (_request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8")
    response.end(body)
  }

const bodyOf = async (request: IncomingMessage) => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

describe("web_fetch", () => {
  it.live(
    "gives a page as markdown, and keeps it as it came",
    () =>
      Effect.gen(function* () {
        const page = `<!doctype html><html><head><title>A &amp; B</title><style>x{}</style></head><body><h1>Hi</h1><p>One <b>two</b><script>evil()</script></p></body></html>`
        const { site, spilled, use } = yield* session(html(page))
        const { details, text } = yield* use("web_fetch", { url: `${site}/a?b=1` })
        assert.strictEqual(text, `${site}/a?b=1\nTitle: A & B\n\n# Hi\n\nOne **two**`)
        assert.strictEqual(readFileSync(join(spilled, basename(String(details["raw"]))), "utf8"), page)
        assert.deepInclude(details, { status: 200, host: "site.test", webFetches: 1 })
      }),
    slow
  )

  it.live(
    "shows the beginning of a long page, and says where all of it is",
    () =>
      Effect.gen(function* () {
        const { site, use } = yield* session(html(`<p>${"wörd ".repeat(40_000)}</p>`))
        const { details, text } = yield* use("web_fetch", { url: site, max_length: 1_000 })
        assert.match(text, /\[Shown are 1000 of 199999 characters\. The page as it came is in .+\.\]$/)
        assert.isTrue(details["truncated"])
        assert.isBelow(Buffer.byteLength((yield* use("web_fetch", { url: site, max_length: 60_000 })).text), 65_536)
      }),
    slow
  )

  it.live(
    "shows images and PDFs as what they are, and keeps other files",
    () =>
      Effect.gen(function* () {
        const bodies: Record<string, Buffer> = {
          "/i": Buffer.from("89504e470d0a1a0a00", "hex"),
          "/p": Buffer.from("%PDF-1.7"),
          "/b": Buffer.from("a\0b")
        }
        const { site, use } = yield* session((request, response) => response.end(bodies[request.url ?? ""]))
        assert.strictEqual((yield* use("web_fetch", { url: `${site}/i` })).content[1]?.type, "image")
        assert.strictEqual((yield* use("web_fetch", { url: `${site}/p` })).content[1]?.type, "document")
        assert.match((yield* use("web_fetch", { url: `${site}/b` })).text, /A binary file\. It is kept in/)
      }),
    slow
  )

  it.live(
    "says so when the server did not want to",
    () =>
      Effect.gen(function* () {
        const { site, use } = yield* session((_request, response) => {
          response.statusCode = 404
          response.end("no such page")
        })
        const { isError, text } = yield* use("web_fetch", { url: site })
        assert.deepStrictEqual([isError, text], [true, `${site}/\nStatus: 404\n\nno such page`])
      }),
    slow
  )

  it.live(
    "reaches public addresses alone, also by redirect",
    () =>
      Effect.gen(function* () {
        const { site, use } = yield* session((_request, response) =>
          response.writeHead(302, { location: "http://private.test/" }).end()
        )
        for (const url of [
          site,
          "http://private.test/",
          "http://169.254.169.254/latest",
          "http://127.0.0.1:1/",
          "http://[::1]/"
        ]) {
          const { outcome, text } = yield* use("web_fetch", { url })
          assert.strictEqual(outcome, "failed", url)
          assert.match(text, /^Fetching from .+ is refused \(address\)/)
        }
        for (const url of ["file:///etc/passwd", "not a url", "ftp://site.test/"]) {
          assert.strictEqual((yield* use("web_fetch", { url })).outcome, "denied", url)
        }
      }),
    slow
  )

  it.live(
    "stays in the domains that are allowed, also by redirect",
    () =>
      Effect.gen(function* () {
        const listener: RequestListener = (request, response) =>
          request.headers.host?.startsWith("site.test")
            ? response.writeHead(302, { location: `http://other.test:${request.socket.localPort}/` }).end()
            : response.end("other")
        const allowed = yield* session(listener, { config: { allowed_domains: ["site.test"] } })
        assert.match(
          (yield* allowed.use("web_fetch", { url: allowed.site })).text,
          /other\.test is not among the allowed domains: site\.test/
        )
        const blocked = yield* session(listener, { config: { blocked_domains: ["other.test"] } })
        assert.match((yield* blocked.use("web_fetch", { url: blocked.site })).text, /other\.test is a blocked domain/)
      }),
    slow
  )

  it.live(
    "lets a smaller model read the page where there is one",
    () =>
      Effect.gen(function* () {
        const { gateway, site, use } = yield* session(html("<p>long</p>"), { summary: "forty-two" })
        assert.match((yield* use("web_fetch", { url: site, prompt: "the answer" })).text, /\n\nthe answer: forty-two$/)
        const spec = gateway.catalog.find(({ name }) => name === "web_fetch")
        assert.include(JSON.stringify(spec?.inputSchema), "prompt")
        const without = yield* session(html("<p>long</p>"))
        assert.strictEqual((yield* without.use("web_fetch", { url: without.site, prompt: "x" })).outcome, "denied")
      }),
    slow
  )

  it.live(
    "ends with pages that never do",
    () =>
      Effect.gen(function* () {
        const deep = `${"<div><b>".repeat(100_000)}bottom`
        const page = yield* Effect.result(renderPage(deep, "http://a/", 20_000))
        if (Result.isSuccess(page)) assert.include(page.success.markdown, "bottom")
        const late = yield* Effect.result(renderPage("<p>".repeat(10), "http://a/", 0))
        assert.isTrue(Result.isFailure(late))
      }),
    slow
  )
})

describe("web_search", () => {
  const hits = {
    results: [
      { title: "One\nline", url: "https://site.test/1", content: "a  b", score: 1, published_date: "2026-01-01" },
      { title: "Elsewhere", url: "https://evil.example/2", content: "x" },
      { title: "Bad", url: "javascript:alert(1)", content: "x" }
    ]
  }

  it.live(
    "asks the provider, and gives what is wanted of its answer",
    () =>
      Effect.gen(function* () {
        let seen: { readonly body: JsonObject; readonly key: string | undefined } | undefined
        const { frames, use } = yield* session(
          (request, response) => {
            void bodyOf(request).then((body) => {
              seen = { body: JSON.parse(body) as JsonObject, key: request.headers.authorization }
              response.end(JSON.stringify(hits))
            })
          },
          { search: true, config: { allowed_domains: ["site.test"] } }
        )
        const { text } = yield* use("web_search", { query: "troupe" })
        assert.strictEqual(text, "1. One line (2026-01-01)\n   https://site.test/1\n   a b")
        assert.deepStrictEqual(seen?.body, {
          query: "troupe",
          max_results: 8,
          include_domains: ["site.test"],
          exclude_domains: []
        })
        assert.strictEqual(seen?.key, "Bearer tvly-secret")
        assert.notInclude(JSON.stringify(frames.bodies), "tvly-secret")
      }),
    slow
  )

  it.live(
    "says why there is no answer, without the key",
    () =>
      Effect.gen(function* () {
        for (const [status, body, reason] of [
          [401, "{}", "refused"],
          [429, "{}", "rate_limited"],
          [200, "[]", "unreadable"],
          [200, "<html>", "unreadable"]
        ] as const) {
          const { use } = yield* session((_request, response) => response.writeHead(status).end(body), { search: true })
          const { details, outcome, text } = yield* use("web_search", { query: "troupe" })
          assert.deepStrictEqual([outcome, details["reason"]], ["failed", reason])
          assert.notInclude(text, "tvly")
        }
      }),
    slow
  )
})

describe("Domains", () => {
  it("mean themselves and what is below, a star only that, a path what begins so", () => {
    const allows = (entry: string, url: string) =>
      domainRefusal({ allowed_domains: [entry] }, new URL(url)) === undefined
    assert.isTrue(allows("example.com", "https://example.com/x"))
    assert.isTrue(allows("Example.com", "https://docs.example.com./"))
    assert.isFalse(allows("example.com", "https://notexample.com/"))
    assert.isFalse(allows("example.com", "https://example.com.evil.org/"))
    assert.isFalse(allows("*.example.com", "https://example.com/"))
    assert.isTrue(allows("*.example.com", "https://a.b.example.com/"))
    assert.isTrue(allows("example.com/docs", "https://example.com/docs/x"))
    assert.isFalse(allows("example.com/docs", "https://example.com/docsx"))
    assert.isFalse(allows("", "https://example.com/"))
  })
})
