import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { TokenId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RateLimits } from "../../src/access/RateLimits.ts"
import { type GatewayWorld, startGateway } from "../gateway/gatewayWorld.ts"
import { apiKey } from "../support/apiKey.ts"
import { asking, bearer, type Headings, until } from "./accessWorld.ts"

const friend = "https://app.example.com"
const perMinute = 10_000

describe("the door", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  const { ask, get, own, post, remove } = asking(() => world)
  const built = mkdtempSync(join(tmpdir(), "troupe-console-"))
  beforeAll(async () => {
    world = await startGateway({ corsOrigins: [friend], consoleDirectory: built, requestsPerMinute: perMinute })
  }, 120_000)
  afterAll(async () => {
    await world?.end()
    rmSync(built, { recursive: true })
  })

  const origin = () => new URL(world.node.gateway).origin
  const secretOf = async (): Promise<string> => {
    const link = await post("/v1/login_links")
    assert.strictEqual(link.status, 200, link.text)
    const url = new URL(link.body.url)
    assert.deepStrictEqual([url.origin, url.pathname], [origin(), "/login"])
    return url.hash.slice(1)
  }
  const logIn = async (body: object, headers: Headings = { origin: origin() }) => {
    const answer = await post("/v1/login", body, headers)
    const cookie = answer.headers.get("set-cookie") ?? ""
    return { ...answer, set: cookie, cookie: { cookie: cookie.split(";")[0]! } }
  }
  const fromOurPage = (cookie: Headings) => ({ ...cookie, origin: origin() })

  describe("lets a browser in", () => {
    it("by a link, once", async () => {
      const token = await secretOf()
      const { body, cookie, set, status } = await logIn({ token })
      assert.deepStrictEqual([status, body.type, body.token.kind], [200, "me", "console"])
      assert.match(set, /^troupe_session_\d+=trp_con_\S+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/)
      assert.strictEqual((await get("/v1/agents", cookie)).status, 200)
      const again = await logIn({ token })
      assert.deepStrictEqual([again.status, again.set], [401, ""])
    })

    it("by an API key, and as that key", async () => {
      const { body, cookie } = await logIn({ api_key: apiKey })
      assert.include(body.scopes, "admin")
      const made = await post("/v1/agents", { name: "a", model: "demo" }, fromOurPage(cookie))
      assert.strictEqual(made.status, 200, made.text)
      const session = await post("/v1/sessions", { agent: made.body.id }, fromOurPage(cookie))
      const log = await get(`/v1/sessions/${session.body.id}/log`)
      const key = (await get("/v1/me")).body.token.id
      assert.deepInclude(log.body.data[0], { actor: { type: "api_key", id: key } })
      assert.deepStrictEqual(log.body.data[0].payload.origin, { type: "console" })
    })

    it("until it logs out, another one logs it out, or the key is revoked", async () => {
      const key = (await post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["write"] })).body
      const [one, two, three] = [
        await logIn({ api_key: key.secret }),
        await logIn({ api_key: key.secret }),
        await logIn({ api_key: key.secret })
      ]
      const listed = await get("/v1/logins", two.cookie)
      assert.lengthOf(listed.body.data, 3)
      const pages = [await get("/v1/logins?limit=2", two.cookie)]
      pages.push(await get(`/v1/logins?limit=2&page=${pages[0]!.body.next_page}`, two.cookie))
      assert.deepStrictEqual(
        pages.map(({ body }) => body.data),
        [listed.body.data.slice(0, 2), listed.body.data.slice(2)]
      )
      assert.isNull(pages[1]!.body.next_page)
      const out = await post("/v1/logout", undefined, fromOurPage(one.cookie))
      assert.match(out.headers.get("set-cookie") ?? "", /=; Max-Age=0/)
      await until(async () => (await get("/v1/me", one.cookie)).status === 401)
      const { status } = await remove(`/v1/logins/${two.body.token.id}`, fromOurPage(three.cookie))
      assert.strictEqual(status, 200)
      await until(async () => (await get("/v1/me", two.cookie)).status === 401)
      assert.strictEqual((await get("/v1/me", three.cookie)).status, 200)
      await remove(`/v1/tokens/${key.id}`)
      await until(async () => (await get("/v1/me", three.cookie)).status === 401)
    })

    it("not as somebody else's login, nor with what is no login", async () => {
      const { body } = await logIn({ api_key: apiKey })
      const key = (await post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["admin"] })).body
      assert.strictEqual((await remove(`/v1/logins/${body.token.id}`, bearer(key.secret))).status, 404)
      assert.strictEqual((await remove(`/v1/logins/${key.id}`, bearer(key.secret))).status, 404)
      const link = await secretOf()
      assert.strictEqual((await get("/v1/me", bearer(link))).status, 403)
      for (const bad of [{ token: apiKey }, { api_key: link }, { api_key: "guess" }]) {
        assert.strictEqual((await logIn(bad)).status, 401)
      }
      for (const bad of [{}, { token: "" }, { token: 1 }, { token: "a", api_key: "b" }]) {
        assert.strictEqual((await logIn(bad)).status, 400)
      }
    })
  })

  describe("takes a cookie", () => {
    const evil = "https://evil.example"
    let cookie: Headings
    let agent: { id: string }
    beforeAll(async () => {
      ;({ cookie } = await logIn({ api_key: apiKey }))
      agent = (await post("/v1/agents", { name: "safe", model: "demo" })).body
    })

    const unchanged = async () => {
      const { body } = await get(`/v1/agents/${agent.id}`)
      assert.deepStrictEqual([body.name, body.archived_at], ["safe", null])
    }

    it.each([
      ["another site's page", { origin: evil }, 403],
      ["a page in a frame without an origin", { origin: "null" }, 403],
      ["a page of an origin that may call the API", { origin: friend }, 401],
      ["a sibling's page", { "sec-fetch-site": "same-site" }, 401],
      ["a page elsewhere that says no origin", { "sec-fetch-site": "cross-site" }, 401],
      ["nobody knows whom", {}, 403]
    ])("for no write of %s", async (_, headers, status) => {
      const headings = { ...cookie, ...(headers as Headings) }
      const archived = await post(`/v1/agents/${agent.id}/archive`, undefined, headings)
      assert.strictEqual(archived.status, status, archived.text)
      const form = await fetch(`${world.node.gateway}/v1/agents/${agent.id}`, {
        method: "POST",
        headers: { ...headings, "content-type": "application/x-www-form-urlencoded" },
        body: "name=taken"
      })
      assert.isAtLeast(form.status, 400)
      await unchanged()
    })

    it("for no read of pages elsewhere", async () => {
      for (const headers of [{ origin: friend }, { "sec-fetch-site": "cross-site" }] as ReadonlyArray<Headings>) {
        assert.strictEqual((await get("/v1/agents", { ...cookie, ...headers })).status, 401)
      }
      assert.strictEqual((await get("/v1/agents", { ...cookie, origin: evil })).status, 403)
    })

    it("for writes of our own pages", async () => {
      for (const headers of [
        { origin: origin() },
        { "sec-fetch-site": "same-origin" },
        { "x-troupe-console": "1" }
      ] as ReadonlyArray<Headings>) {
        const made = await post("/v1/agents", { name: "ours", model: "demo" }, { ...cookie, ...headers })
        assert.strictEqual(made.status, 200, made.text)
      }
    })

    it("and no login from another site's page", async () => {
      const { set, status } = await logIn({ api_key: apiKey }, { origin: evil })
      assert.deepStrictEqual([status, set], [403, ""])
    })
  })

  describe("to pages of other origins", () => {
    const asks = (from: string, headers: Headings = {}) =>
      ask("OPTIONS", "/v1/sessions", { origin: from, "access-control-request-method": "POST", ...headers })

    it("is open where they are listed, without credentials of the browser's", async () => {
      const asked = await asks(friend, { "access-control-request-headers": "authorization, x-stainless-lang" })
      assert.strictEqual(asked.status, 204)
      assert.strictEqual(asked.headers.get("access-control-allow-origin"), friend)
      assert.strictEqual(asked.headers.get("access-control-allow-headers"), "authorization, x-stainless-lang")
      assert.include(asked.headers.get("access-control-allow-methods"), "POST")
      const answer = await get("/v1/agents", { ...own, origin: friend })
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers.get("access-control-allow-origin"), friend)
      assert.include(answer.headers.get("access-control-expose-headers"), "request-id")
      for (const { headers } of [asked, answer]) {
        assert.isNull(headers.get("access-control-allow-credentials"))
        assert.include(headers.get("vary"), "Origin")
      }
      const refused = await get("/v1/agents", { origin: friend })
      assert.deepStrictEqual([refused.status, refused.headers.get("access-control-allow-origin")], [401, friend])
    })

    it("is open for streams", async () => {
      const agent = (await post("/v1/agents", { name: "a", model: "demo" })).body.id
      const { id } = (await post("/v1/sessions", { agent })).body
      const stop = new AbortController()
      const stream = await fetch(`${world.node.gateway}/v1/sessions/${id}/events/stream`, {
        headers: { ...own, origin: friend },
        signal: stop.signal
      })
      assert.deepStrictEqual([stream.status, stream.headers.get("access-control-allow-origin")], [200, friend])
      stop.abort()
    })

    it("is shut where they are not", async () => {
      for (const from of ["https://app.example.com.evil.example", "http://app.example.com", "null"]) {
        const asked = await asks(from)
        assert.deepStrictEqual([asked.status, asked.headers.get("access-control-allow-origin")], [403, null])
        assert.strictEqual((await get("/v1/agents", { ...own, origin: from })).status, 403)
      }
    })
  })

  it("makes those wait who ask too often", async () => {
    const key = (await post("/v1/tokens", { kind: "api_key", name: "busy", scopes: ["read"] })).body
    await world.node.run(
      Effect.gen(function* () {
        const { request } = yield* RateLimits
        for (let n = 0; n < perMinute; n++) yield* request(TokenId.make(key.id))
      })
    )
    const refused = await get("/v1/me", bearer(key.secret))
    assert.deepStrictEqual([refused.status, refused.body.error.type], [429, "rate_limit_error"])
    assert.isAtLeast(Number(refused.headers.get("retry-after")), 1)
    assert.isAtLeast(Number(refused.headers.get("retry-after-ms")), 1)
    assert.strictEqual((await get("/v1/me")).status, 200)
  })

  it("makes those wait who try logins, right ones too", async () => {
    const statuses: Array<number> = []
    for (let n = 0; n < 30; n++) statuses.push((await logIn({ api_key: `guess ${n}` })).status)
    assert.include(statuses, 401)
    assert.strictEqual(statuses.at(-1), 429)
    const token = await secretOf()
    const { headers, status } = await logIn({ token })
    assert.strictEqual(status, 429)
    assert.isAtLeast(Number(headers.get("retry-after")), 1)
  })

  describe("shows browsers", () => {
    /** What is at a path as it is given, dots and all. */
    const raw = (path: string, headers: Headings = {}) =>
      new Promise<{ status: number; headers: Record<string, string | undefined>; body: string }>((resolve, reject) => {
        const { hostname, port } = new URL(world.node.gateway)
        request({ hostname, port, path, headers }, (response) => {
          let body = ""
          response.on("data", (chunk: Buffer) => (body += chunk.toString()))
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, body })
          )
        })
          .once("error", reject)
          .end()
      })

    it("how to build the console where it is not built", async () => {
      const shown = await raw("/")
      assert.strictEqual(shown.status, 200)
      assert.include(shown.body, "npm run build -w packages/console")
      const login = await raw("/login")
      assert.include(login.body, "API key")
      assert.match(login.headers["content-security-policy"] ?? "", /script-src 'sha256-[\w+/=]+'/)
      assert.match(login.headers["content-security-policy"] ?? "", /default-src 'none'/)
      assert.notMatch(login.body, /(src|href)="(https?:)?\/\//)
    })

    it("the console where it is", async () => {
      mkdirSync(join(built, "assets"))
      writeFileSync(join(built, "index.html"), "<!doctype html><title>built</title>")
      writeFileSync(join(built, "assets/index-AbCd1234.js"), "run()")
      writeFileSync(join(built, "assets/index-AbCd1234.js.br"), "as brotli")
      writeFileSync(join(built, "assets/index-AbCd1234.js.gz"), "as gzip")
      writeFileSync(join(built, ".secret"), "hidden")
      for (const path of ["/", "/login", "/w", "/w/a/sessions/b?tab=log"]) {
        const { body, headers, status } = await raw(path)
        assert.strictEqual(status, 200)
        assert.include(body, "<title>built</title>")
        assert.strictEqual(headers["cache-control"], "no-cache")
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.match(headers["content-security-policy"] ?? "", /script-src 'self';.*frame-ancestors 'none'/)
      }
      const script = await raw("/assets/index-AbCd1234.js")
      assert.deepStrictEqual(
        [script.body, script.headers["content-type"], script.headers["cache-control"]],
        ["run()", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"]
      )
      const brotli = await raw("/assets/index-AbCd1234.js", { "accept-encoding": "gzip, br" })
      assert.deepStrictEqual([brotli.body, brotli.headers["content-encoding"]], ["as brotli", "br"])
      const gzip = await raw("/assets/index-AbCd1234.js", { "accept-encoding": "gzip, br;q=0" })
      assert.deepStrictEqual([gzip.body, gzip.headers["content-encoding"]], ["as gzip", "gzip"])
      const kept = await raw("/", { "if-none-match": (await raw("/")).headers["etag"]! })
      assert.deepStrictEqual([kept.status, kept.body], [304, ""])
    })

    it("no other file of the host, and nothing where nothing is", async () => {
      for (const path of [
        "/../../../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/.secret",
        "/assets",
        "/assets/none.js",
        "/%00",
        "/%zz",
        "//etc/passwd",
        "/v1/../index.html"
      ]) {
        const { body, status } = await raw(path)
        assert.notInclude(body, "root:")
        assert.notInclude(body, "hidden")
        assert.strictEqual(status, 404, path)
      }
    })

    it("how the API is used, with scripts of ours alone", async () => {
      const docs = await raw("/docs")
      assert.include(docs.body, "/v1/sessions/{id}/events/stream")
      assert.include(docs.body, "createLoginLink")
      assert.match(docs.headers["content-security-policy"] ?? "", /default-src 'none'/)
      assert.notMatch(docs.body, /(src|href)="(https?:)?\/\//)
    })
  })

  it("tells clients whom they talk to and what for", async () => {
    const config = (await get("/v1/config/client")).body
    assert.deepInclude(config, { type: "client_config", version: "0.1.0", demo: true })
    assert.includeMembers(config.features, ["sessions", "access"])
    const me = (await get("/v1/me")).body
    assert.strictEqual(config.workspace.id, me.workspace.id)
    assert.deepInclude(me, { bound_to: null, operator: true })
    assert.strictEqual((await get("/v1/config/client", {})).status, 401)
  })
})
