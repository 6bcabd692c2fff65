import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { request as httpRequest, type IncomingMessage, Agent as HttpAgent } from "node:http"
import { apiKey } from "../support/apiKey.ts"
import { type Answer, type Ask, asOwner, made } from "./asking.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const full = process.env["TROUPE_FULL"] === "1"

describe("a hostile client", { timeout: full ? 600_000 : 180_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  let agentId: string
  let sessionId: string
  beforeAll(async () => {
    world = await startGateway()
    ask = asOwner(world)
    agentId = made(await ask("POST", "/v1/agents", { name: "a", model: "demo" })).id
    sessionId = made(await ask("POST", "/v1/sessions", { agent: agentId })).id
  }, 120_000)
  afterAll(() => world?.end())

  const post = async (path: string, body: string | FormData, headers: Record<string, string> = {}): Promise<Answer> => {
    const type: Record<string, string> = body instanceof FormData ? {} : { "content-type": "application/json" }
    const response = await world.fetch(path, { method: "POST", body, headers: { ...type, ...headers } })
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text), text }
  }

  it.each([
    "/v1/search?q=a%00b",
    "/v1/approvals?tool=%00",
    "/v1/questions?agent_id=%00",
    "/v1/usage?model=%00",
    "/v1/sessions?deployment_id=%00",
    "/v1/agents?any_other=%00",
    "/v1/models/%00",
    "/v1/agents/%00"
  ])("gets no NUL character past the door: %s", async (path) => {
    const { body, status } = await ask("GET", path)
    assert.deepStrictEqual([status, body.error.message], [400, "The address holds a NUL character"])
  })

  it("gets none there in a cursor, a form or a header either", async () => {
    const cursor = (...parts: ReadonlyArray<string | number>) =>
      `page_${Buffer.from(JSON.stringify(parts)).toString("base64url")}`
    for (const path of [
      `/v1/agents?page=${cursor("agents", 1, "\0")}`,
      `/v1/environments?page=${cursor("environments", 1, "\0")}`,
      `/v1/files?page=${cursor("files", 1, "\0")}`,
      `/v1/tokens?page=${cursor("tokens", 1, "\0")}`,
      `/v1/projects?page=${cursor("projects", 1, "\0")}`,
      `/v1/approvals?page=${cursor("approvals", "desc", 1, "\0")}`,
      `/v1/sessions?page=${cursor("sessions", "desc", 1, "\0", "after")}`
    ]) {
      const { status, text } = await ask("GET", path)
      assert.oneOf(status, [200, 400], `${path}: ${text}`)
    }
    const named = (name: string) =>
      `--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\nhello\r\n--x--\r\n`
    const sent = await post("/v1/files", named("a\0b"), { "content-type": "multipart/form-data; boundary=x" })
    assert.strictEqual(sent.status, 400)
  })

  it("does not stop the node with a body that is small on the way and large in memory", async () => {
    const heap = () => process.memoryUsage().heapUsed
    const before = heap()
    for (const body of [
      "[".repeat(16_000_000),
      `[${"[],".repeat(10_000_000)}[]]`,
      `{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":1`).join()}}`
    ]) {
      const { body: problem, status } = await post("/v1/agents", body)
      assert.deepStrictEqual([status, problem.error.type], [400, "invalid_request_error"])
    }
    assert.isBelow(heap() - before, 512 * 1_048_576)
  })

  it("reaches nobody's prototype, and keeps such keys as what they are", async () => {
    const own = `{"__proto__":"x","constructor":"y","toString":"z"}`
    const kept = ({ body }: Answer) => Object.entries(body.metadata).toSorted()
    const wanted: Array<[string, unknown]> = [
      ["__proto__", "x"],
      ["constructor", "y"],
      ["toString", "z"]
    ]
    const agent = await post("/v1/agents", `{"name":"a","model":"demo","metadata":${own}}`)
    assert.deepStrictEqual(kept(agent), wanted)
    const session = await post("/v1/sessions", `{"agent":"${agentId}","metadata":${own}}`)
    assert.deepStrictEqual(kept(session), wanted)
    assert.deepStrictEqual(kept(await ask("GET", `/v1/sessions/${session.body.id}`)), wanted)
    for (const changing of [`/v1/agents/${agent.body.id}`, `/v1/sessions/${session.body.id}`]) {
      const version = agent.body.id === changing.split("/").at(-1) ? `"version":1,` : ""
      const changed = await post(changing, `{${version}"metadata":{"__proto__":null,"valueOf":"w"}}`)
      assert.deepStrictEqual(kept(changed), [...wanted.slice(1), ["valueOf", "w"]])
    }
    const refused = await post("/v1/agents", `{"name":"a","model":"demo","__proto__":{"system":"x"}}`)
    assert.strictEqual(refused.status, 400)
    assert.isUndefined(({} as { system?: string }).system)
  })

  it("is held to the last of two fields of one name, everywhere alike", async () => {
    const { body } = await post("/v1/agents", `{"name":"first","model":"demo","name":"second"}`)
    assert.strictEqual(body.name, "second")
    assert.strictEqual(made(await ask("GET", `/v1/agents/${body.id}`)).name, "second")
  })

  const text = (said: string) => ({ type: "user.message", content: [{ type: "text", text: said }] })
  const file = () => {
    const form = new FormData()
    form.set("file", new Blob(["hello"]), "a.txt")
    return form
  }

  it.each<readonly [string, () => string, () => object]>([
    ["an agent", () => "/v1/agents", () => ({ name: "a", model: "demo" })],
    ["an environment", () => "/v1/environments", () => ({ name: "a", config: { type: "cloud" } })],
    ["a session", () => "/v1/sessions", () => ({ agent: agentId, initial_events: [text("x")] })],
    ["a project", () => "/v1/projects", () => ({ name: "a" })],
    [
      "a model card",
      () => "/v1/model_cards",
      () => ({ name: "a", provider: "openai", model: "m", api_key: "sk-123456" })
    ],
    ["a fork", () => `/v1/sessions/${sessionId}/fork`, () => ({})]
  ])("that sends one key twenty times at once makes %s once", async (what, path, body) => {
    const send = () =>
      post(path(), JSON.stringify(body()), { "idempotency-key": `key-of-${what.replaceAll(" ", "-")}` })
    const answers = await Promise.all(Array.from({ length: 20 }, send))
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [200], answers[0]!.text)
    assert.strictEqual(new Set(answers.map((answer) => answer.body.id)).size, 1)
  })

  it("that does so for events and files makes them once as well", async () => {
    const key = { "idempotency-key": "key-of-many" }
    const path = `/v1/sessions/${sessionId}/events`
    const sent = await Promise.all(
      Array.from({ length: 20 }, () => post(path, JSON.stringify({ events: [text("once")] }), key))
    )
    assert.strictEqual(new Set(sent.map((answer) => made(answer).data[0].id)).size, 1)
    const files = await Promise.all(
      Array.from({ length: 20 }, () => post("/v1/files", file(), { "idempotency-key": "key-of-files" }))
    )
    assert.strictEqual(new Set(files.map((answer) => made(answer).id)).size, 1)
  })

  it("that does so for a token sees its secret once, and is told so", async () => {
    const body = JSON.stringify({ kind: "api_key", name: "k", scopes: ["read"] })
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post("/v1/tokens", body, { "idempotency-key": "key-of-token" }))
    )
    const statuses = answers.map(({ status }) => status).toSorted()
    assert.deepStrictEqual(statuses, [200, ...Array.from({ length: 19 }, () => 409)])
    assert.lengthOf(
      answers.filter((answer) => answer.text.includes("trp_key_")),
      1
    )
  })

  it("that forks again after its answer was lost gets the fork that it made", async () => {
    const send = () => post(`/v1/sessions/${sessionId}/fork`, "{}", { "idempotency-key": "lost-fork" })
    const first = made(await send()).id
    made(await ask("POST", `/v1/sessions/${sessionId}/events`, { events: [text("and the parent goes on")] }))
    await world.forget("lost-fork")
    assert.strictEqual(made(await send()).id, first)
  })

  const opened = (path: string, pool: HttpAgent) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${world.node.gateway}${path}`, { agent: pool, headers: { "x-api-key": apiKey } })
      request.once("response", resolve).once("error", reject).end()
    })

  it("with thousands of open streams on one key takes nobody else's turn", async () => {
    const streams = full ? 5_000 : 500
    const pool = new HttpAgent({ maxSockets: Infinity })
    const open: Array<IncomingMessage> = []
    const before = process.memoryUsage().rss
    for (let n = 0; n < streams; n += 250) {
      const path = `/v1/sessions/${sessionId}/events/stream`
      open.push(...(await Promise.all(Array.from({ length: 250 }, () => opened(path, pool)))))
    }
    assert.strictEqual(
      open.every(({ statusCode }) => statusCode === 200),
      true
    )
    const eachKiB = (process.memoryUsage().rss - before) / 1_024 / streams
    assert.isBelow(eachKiB, 256)
    const heard = Promise.all(
      open.map((response) => new Promise<void>((resolve) => response.once("data", () => resolve())))
    )
    made(await ask("POST", `/v1/sessions/${sessionId}/events`, { events: [text("everybody")] }))
    await heard
    assert.strictEqual((await ask("GET", "/v1/me")).status, 200)
    for (const response of open) response.destroy()
    pool.destroy()
  })
})
