import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { apiKey } from "../support/apiKey.ts"
import { type RawAnswer, rawHttp } from "../support/rawHttp.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const own = `host: localhost\r\nx-api-key: ${apiKey}\r\n`
const json = "content-type: application/json\r\n"
const agent = `{"name":"a","model":"demo"}`
const sized = `${json}content-length: ${agent.length}\r\n`
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\n${own}${more}\r\n`
const post = (more: string, body = agent) => `POST /v1/agents HTTP/1.1\r\n${own}${more}\r\n${body}`
const h2c = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
const upgrade = "connection: Upgrade\r\nupgrade: websocket\r\n"

describe("bytes that are", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  beforeAll(async () => {
    world = await startGateway()
  }, 120_000)
  afterAll(() => world?.end())

  const ask = (bytes: string | readonly [string, ...ReadonlyArray<string>], answers = 1, head = false) =>
    rawHttp(world.node.gateway, { bytes, answers, head })
  const agents = async () => {
    const { data } = (await (await world.fetch("/v1/agents?limit=100")).json()) as { data: ReadonlyArray<object> }
    return data.length
  }
  /** Type of a refusal that has the contract's shape. */
  const refusal = ({ body, headers }: RawAnswer) => {
    const problem = JSON.parse(body) as { type: string; error: { type: string }; request_id: string }
    assert.strictEqual(problem.type, "error")
    assert.match(problem.request_id, /^req_\w+$/)
    assert.strictEqual(headers.get("request-id"), problem.request_id)
    return problem.error.type
  }

  it.each([
    [
      "both lengths",
      post(`${json}content-length: 5\r\ntransfer-encoding: chunked\r\n`, `0\r\n\r\n${get("/v1/me")}`),
      400
    ],
    ["two lengths", post(`${sized}content-length: 3\r\n`), 400],
    ["a length below zero", post(`${json}content-length: -1\r\n`), 400],
    ["a length with a sign", post(`${json}content-length: +${agent.length}\r\n`), 400],
    ["an encoding that is nearly chunked", post(`${json}transfer-encoding: xchunked\r\n`), 400],
    ["a chunk without a size", post(`${json}transfer-encoding: chunked\r\n`, `zz\r\n${agent}\r\n0\r\n\r\n`), 400],
    ["lines that end in LF", get("/v1/me").replaceAll("\r\n", "\n"), 400],
    ["a folded header", get("/v1/me", "a: b\r\n c\r\n"), 400],
    ["a NUL in a header", get("/v1/me", "a: b\0c\r\n"), 400],
    ["a control character in a key", post(`${sized}idempotency-key: a\u0001b\r\n`), 400],
    ["a space in the path", get("/v1/me x"), 400],
    ["a byte beyond ASCII in the path", get("/v1/\u00e9"), 400],
    ["a method that nobody knows", `FOO /v1/me HTTP/1.1\r\n${own}\r\n`, 400],
    ["the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["no host", `GET /v1/me HTTP/1.1\r\nx-api-key: ${apiKey}\r\n\r\n`, 400],
    ["two hosts", get("/v1/me", "host: evil.example\r\n"), 400],
    ["a key of a megabyte", post(`${sized}idempotency-key: ${"k".repeat(1_048_576)}\r\n`), 431],
    ["thousands of headers", get("/v1/me", "a: b\r\n".repeat(4_000)), 431],
    ["an address of 40 KB", get(`/v1/me?${"a".repeat(40_000)}`), 431],
    ["what only proxies take", "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n", 405],
    ["an expectation that nobody meets", post(`${sized}expect: nonsense\r\n`), 417],
    ["a compressed body", post(`${sized}content-encoding: gzip\r\n`), 415]
  ])("no HTTP, or not ours, are refused in the contract's shape: %s", async (_, bytes, status) => {
    const before = await agents()
    const { answers } = await ask(bytes)
    assert.strictEqual(answers[0]?.status, status)
    assert.match(refusal(answers[0]!), /^(invalid_request_error|request_too_large)$/)
    assert.strictEqual(await agents(), before)
  })

  it("one request in another are never taken for two", async () => {
    const smuggled = post(sized).replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n")
    const { answers, ended } = await ask(`${smuggled}${get("/v1/me")}`, 2)
    assert.deepStrictEqual([answers.map(({ status }) => status), ended], [[400], true])
    const body = `{"name":${JSON.stringify(get("/v1/agents"))},"model":"demo"}`
    const whole = await ask(`${post(`${json}content-length: ${body.length}\r\n`, body)}${get("/v1/me")}`, 2)
    assert.deepStrictEqual(
      whole.answers.map(({ status }) => status),
      [200, 200]
    )
    assert.strictEqual(JSON.parse(whole.answers[1]!.body).type, "me")
  })

  it("sent one request after the other, without waiting, are answered in that order", async () => {
    const made = await ask(Array.from({ length: 5 }, () => post(sized)).join(""), 5)
    const ids = made.answers.map(({ body }) => (JSON.parse(body) as { id: string }).id)
    assert.strictEqual(new Set(ids).size, 5)
    const { answers } = await ask(ids.map((id) => get(`/v1/agents/${id}`)).join(""), 5)
    assert.deepStrictEqual(
      answers.map(({ body }) => JSON.parse(body).id),
      ids
    )
  })

  it("an offer of HTTP/2 are answered in HTTP/1.1, with the connection kept", async () => {
    const chunked = `${agent.length.toString(16)}\r\n${agent}\r\n0\r\n\r\n`
    for (const bytes of [
      get("/v1/me", h2c),
      post(`${sized}${h2c}`),
      post(`${json}transfer-encoding: chunked\r\n${h2c}`, chunked)
    ]) {
      const { answers } = await ask([bytes, get("/v1/me")], 2)
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200]
      )
    }
  })

  it("an offer of a WebSocket where there is none are answered as if there were no offer", async () => {
    assert.strictEqual((await ask(post(`${sized}${upgrade}`))).answers[0]?.status, 200)
    const { answers } = await ask(get("/v1/me", upgrade))
    assert.strictEqual(answers[0]?.status, 200)
  })

  it("a whole address are taken by what it names, not by the host beside it", async () => {
    assert.strictEqual((await ask(get("http://localhost/v1/me"))).answers[0]?.status, 200)
    const elsewhere = (await ask(get("http://evil.example/v1/me"))).answers[0]!
    assert.deepStrictEqual([elsewhere.status, refusal(elsewhere)], [403, "permission_error"])
  })

  it.each([
    ["/V1/me", 404],
    ["/v1/ME", 404],
    ["/v1//me", 404],
    ["//v1/me", 404],
    ["//evil.example/v1/me", 404],
    ["/v1/me/", 404],
    ["/v1/agents/", 404],
    ["/v1/sessions//events", 404],
    ["/v1%2fme", 404],
    ["/v1/agents/../me", 404],
    ["/v1/agents/%2e%2e/me", 404],
    ["/v1/agents/%2e%2e%2fme", 400],
    ["/v1/agents/%zz", 405],
    ["/v1/agents/%c0%80", 405],
    ["/v1/agents/%00", 400],
    ["/v1/models/%00", 400],
    ["*", 404]
  ])("other spellings of an address open nothing: %s", async (path, status) => {
    const { answers } = await ask(get(path))
    assert.strictEqual(answers[0]?.status, status)
    refusal(answers[0]!)
  })

  it("sent to where nodes speak to each other find nothing of the gateway's", async () => {
    const cluster = await fetch(`http://${world.node.address}/healthz`)
    assert.strictEqual(cluster.status, 404)
    await cluster.body?.cancel()
  })

  it("other methods hear which are taken", async () => {
    for (const method of ["OPTIONS", "TRACE", "PROPFIND", "PATCH"]) {
      const { answers } = await ask(get("/v1/me").replace("GET", method))
      assert.deepStrictEqual([answers[0]?.status, answers[0]?.headers.get("allow")], [405, "GET"])
      assert.notInclude(answers[0]!.body, apiKey)
    }
    for (const [path, status] of [
      ["/v1/me", 200],
      ["/v1/nothing", 404],
      ["/v1/agents/x", 400]
    ] as const) {
      const { answers } = await ask(get(path).replace("GET", "HEAD"), 1, true)
      assert.deepStrictEqual([answers[0]?.status, answers[0]?.body], [status, ""])
    }
  })

  it("half a request whose sender is refused are not waited for", async () => {
    const stranger = post(`${json}content-length: 1000\r\n`, `{"name":`).replace(apiKey, "nobody")
    const { answers, ended } = await ask(stranger, 2)
    assert.deepStrictEqual([answers.map(({ status }) => status), ended], [[401], true])
    assert.strictEqual(answers[0]!.headers.get("connection"), "close")
  })
})
