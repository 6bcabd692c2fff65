import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { system } from "@troupe/domain/Actor"
import { Effect, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { connect } from "node:net"
import { mintId, prng } from "../../../../test/support/Prng.ts"
import { answerLengthMax } from "../../src/gateway/Idempotency.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { apiKey } from "../support/apiKey.ts"
import { endsBy, refusalOf } from "../support/revocation.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

interface Problem {
  readonly type: string
  readonly error: {
    readonly type: string
    readonly message: string
    readonly details?: { readonly error_code: string }
  }
  readonly request_id: string
}

describe("requests", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  beforeAll(async () => {
    world = await startGateway()
  }, 120_000)
  afterAll(() => world?.end())

  const json = { "content-type": "application/json" }
  const post = (path: string, body: NonNullable<RequestInit["body"]>, headers: Record<string, string> = {}) =>
    world.fetch(path, { method: "POST", body, headers: { ...json, ...headers } })
  const agent = (name: string) => JSON.stringify({ name, model: "demo" })

  /** Status and type of a refusal, once its envelope is what the contract says. */
  const problem = async (response: Response) => {
    const body = (await response.json()) as Problem
    assert.strictEqual(body.type, "error")
    assert.match(body.request_id, /^req_/)
    assert.strictEqual(response.headers.get("request-id"), body.request_id)
    return [response.status, body.error.type, body.error.message] as const
  }
  const refusal = async (response: Response) => (await problem(response)).slice(0, 2)

  const keyWith = async (scopes: ReadonlyArray<string>, expiresAt: number | null = null) => {
    const made = await world.node.run(
      Effect.gen(function* () {
        const workspaceId = yield* (yield* Workspaces).first
        return yield* (yield* Tokens).create(
          { workspaceId, kind: "api_key", name: "k", labels: [], scopes, expiresAt },
          system
        )
      })
    )
    return Redacted.value(made.secret)
  }

  it("carry a number in every answer", async () => {
    for (const path of ["/v1/agents", "/healthz", "/v1/nothing", "/nothing"]) {
      assert.match((await world.fetch(path)).headers.get("request-id") ?? "", /^req_[0-9a-f]{32}$/)
    }
  })

  it("come with a key, either way, and get the same text for none and for a wrong one", async () => {
    const list = (headers: Record<string, string>) => fetch(`${world.node.gateway}/v1/agents`, { headers })
    assert.strictEqual((await list({ "x-api-key": apiKey })).status, 200)
    assert.strictEqual((await list({ authorization: `Bearer ${apiKey}` })).status, 200)
    const none = await problem(await list({}))
    assert.deepStrictEqual(none.slice(0, 2), [401, "authentication_error"])
    assert.deepStrictEqual(await problem(await list({ "x-api-key": "trp_key_guess" })), none)
    assert.deepStrictEqual(await problem(await list({ authorization: "Basic abc" })), none)
    const expired = await keyWith(["read"], Date.now() - 1_000)
    assert.deepStrictEqual(await problem(await list({ "x-api-key": expired })), none)
  })

  it("may do what their key's scopes say", async () => {
    const key = { "x-api-key": await keyWith(["read"]) }
    assert.strictEqual((await world.fetch("/v1/agents", { headers: key })).status, 200)
    assert.deepStrictEqual(await refusal(await post("/v1/agents", agent("a"), key)), [403, "permission_error"])
    const writer = { "x-api-key": await keyWith(["write"]) }
    assert.strictEqual((await post("/v1/agents", agent("a"), writer)).status, 200)
    assert.deepStrictEqual(await refusal(await world.fetch("/v1/tokens", { headers: writer })), [
      403,
      "permission_error"
    ])
  })

  it("open nothing any more once their key is revoked", async () => {
    const made = await post("/v1/tokens", JSON.stringify({ kind: "api_key", name: "k", scopes: ["read"] }))
    const { id, secret } = (await made.json()) as { id: string; secret: string }
    const asked = () => world.fetch("/v1/agents", { headers: { "x-api-key": secret } })
    assert.strictEqual((await asked()).status, 200)
    const shown = await (await world.fetch("/v1/tokens")).text()
    assert.include(shown, id)
    assert.notInclude(shown, secret)
    const revokes = world.fetch(`/v1/tokens/${id}`, { method: "DELETE" })
    assert.strictEqual(await endsBy(revokes, () => refusalOf(asked)), 401)
  })

  it("find nothing where nothing is, and hear which methods are taken where something is", async () => {
    assert.deepStrictEqual(await refusal(await world.fetch("/v1/vaults")), [404, "not_found_error"])
    assert.deepStrictEqual(await refusal(await world.fetch("/_stainless_unknown_path")), [404, "not_found_error"])
    const patched = await world.fetch("/v1/agents", { method: "PATCH" })
    assert.strictEqual(patched.headers.get("allow"), "GET, POST")
    assert.deepStrictEqual(await refusal(patched), [405, "invalid_request_error"])
  })

  it.each([
    ["no JSON", "{", {}, /not valid JSON: it ends too soon, at line 1, column 2$/],
    ["what stops being JSON", `{\n  "name": "a",\n  "model": demo\n}`, {}, /not valid JSON: see line 3, column 12$/],
    ["nothing", "", {}, /needs a JSON body/],
    ["a list", "[]", {}, /Expected/],
    ["another type", agent("a"), { "content-type": "text/plain" }, /Content-Type/],
    ["a form", "name=a", { "content-type": "application/x-www-form-urlencoded" }, /Content-Type/],
    ["another charset", agent("a"), { "content-type": "application/json; charset=latin1" }, /charset/],
    ["what is no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), {}, /not valid JSON: it is not in UTF-8/],
    ["100,000 brackets", "[".repeat(100_000) + "]".repeat(100_000), {}, /nested too deeply|not valid JSON/],
    ["an endless number", `{"name":"a","model":"demo","version":1e999}`, {}, /version/]
  ])("are refused with %s for a body", async (_, body, headers, said) => {
    const [status, type, message] = await problem(await post("/v1/agents", body, headers))
    assert.deepStrictEqual([status, type], [400, "invalid_request_error"])
    assert.match(message, said)
  })

  it("in another charset are refused by a code of their own", async () => {
    const response = await post("/v1/agents", agent("a"), { "content-type": "application/json; charset=latin1" })
    const { error } = (await response.json()) as Problem
    assert.deepStrictEqual([response.status, error.details?.error_code], [400, "unsupported_charset"])
  })

  it("are too large above 32 MB, whether they say so or not", async () => {
    const large = new Uint8Array(33 * 1_048_576).fill(0x20)
    const chunked = () =>
      new ReadableStream({
        start(controller) {
          for (let n = 0; n < 33; n++) controller.enqueue(large.subarray(0, 1_048_576))
          controller.close()
        }
      })
    const sent = await world.fetch("/v1/agents", {
      method: "POST",
      body: chunked(),
      headers: json,
      duplex: "half"
    } as RequestInit)
    assert.deepStrictEqual(await refusal(sent), [413, "request_too_large"])
    assert.strictEqual(await said413(33 * 1_048_576), 413)
  })

  /** The status of a request that says how long it is, and sends nothing of it. */
  const said413 = (length: number) =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(world.node.gateway)
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /v1/agents HTTP/1.1\r\nhost: ${hostname}\r\nx-api-key: ${apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
        )
      })
      socket.once("data", (data) => {
        resolve(Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1]))
        socket.destroy()
      })
      socket.once("error", reject)
    })

  it("for a socket have to ask for one, and for one that there is", async () => {
    const half = { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "8" }
    for (const path of ["/v1/feed", "/v1/rpc"]) {
      assert.deepStrictEqual(await refusal(await world.fetch(path)), [426, "invalid_request_error"], path)
      const { port } = new URL(world.node.gateway)
      assert.strictEqual(await rawStatus(port, { host: `localhost:${port}`, ...half }, path), 426)
    }
  })

  it("are taken from pages of our own origin alone, under names of our own", async () => {
    const { host, origin, port } = new URL(world.node.gateway)
    const asked = (headers: Record<string, string>) => rawStatus(port, headers)
    assert.strictEqual(await asked({ host }), 200)
    assert.strictEqual(await asked({ host: `localhost:${port}` }), 200)
    assert.strictEqual(await asked({ host, origin }), 200)
    assert.strictEqual(await asked({ host: "evil.example" }), 403)
    assert.strictEqual(await asked({ host, origin: "https://evil.example" }), 403)
    assert.strictEqual(await asked({ host, origin: "null" }), 403)
  })

  const rawStatus = (port: string, headers: Record<string, string>, path = "/v1/agents") =>
    new Promise<number>((resolve, reject) => {
      const lines = Object.entries({ connection: "close", ...headers, "x-api-key": apiKey })
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.1\r\n${head}\r\n`))
      socket.once("data", (data) => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1])))
      socket.once("error", reject)
      socket.once("data", () => socket.destroy())
    })

  it("are done once under an idempotency key, and refused with another body", async () => {
    const send = (name: string, key: string) => post("/v1/agents", agent(name), { "idempotency-key": key })
    const first = await send("once", "key-1")
    const body = await first.text()
    const again = await send("once", "key-1")
    assert.strictEqual(await again.text(), body)
    assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
    const other = await send("twice", "key-1")
    assert.strictEqual(other.headers.get("x-should-retry"), "false")
    assert.deepStrictEqual(await refusal(other), [409, "invalid_request_error"])
    const many = await Promise.all(Array.from({ length: 6 }, () => send("together", "key-2")))
    const ids = await Promise.all(many.map(async (one) => ((await one.json()) as { id: string }).id))
    assert.strictEqual(new Set(ids).size, 1)
    const { id: agentId } = JSON.parse(body) as { id: string }
    const sessions = await Promise.all(
      Array.from({ length: 4 }, () =>
        post("/v1/sessions", JSON.stringify({ agent: agentId }), { "idempotency-key": "key-3" })
      )
    )
    const opened = await Promise.all(sessions.map(async (one) => ((await one.json()) as { id: string }).id))
    assert.strictEqual(new Set(opened).size, 1)
  })

  it("are done once under an idempotency key also where their answer is too large to be kept", async () => {
    const made = (await (await post("/v1/agents", agent("large"))).json()) as { id: string }
    const session = (await (await post("/v1/sessions", JSON.stringify({ agent: made.id }))).json()) as { id: string }
    assert.strictEqual((await post(`/v1/sessions/${session.id}/pause`, "{}")).status, 200)
    const text = "x".repeat(answerLengthMax)
    const body = JSON.stringify({ events: [{ type: "user.message", content: [{ type: "text", text }] }] })
    const send = async () => post(`/v1/sessions/${session.id}/events`, body, { "idempotency-key": "large-1" })
    const first = await (await send()).text()
    const again = await send()
    // Made anew, from the log.
    assert.deepStrictEqual([again.headers.get("idempotent-replayed"), await again.text()], [null, first])

    const wide = { type: "object", properties: { a: { type: "string", description: "d".repeat(20_000) } } }
    const tools = Array.from({ length: Math.ceil(answerLengthMax / 20_000) }, (_, n) => {
      return { type: "custom", name: `wide_${n}`, description: "takes much to say", input_schema: wide }
    })
    const larger = JSON.stringify({ ...JSON.parse(agent("larger")), tools })
    const create = () => post("/v1/agents", larger, { "idempotency-key": "large-2" })
    assert.strictEqual((await create()).status, 200)
    const refused = await create()
    assert.deepStrictEqual([refused.status, refused.headers.get("x-should-retry")], [409, "false"])
    assert.match(
      ((await refused.json()) as Problem).error.message,
      /^This request was done; its answer had \d+ characters/
    )
  })

  it("are refused again under an idempotency key, each by its own number", async () => {
    const missing = () =>
      world.fetch(`/v1/agents/${mintId(prng(3), "Agent")}/archive`, {
        method: "POST",
        headers: { "idempotency-key": "key-missing" }
      })
    const numbers = new Set<string>()
    for (const isAgain of [false, true]) {
      const response = await missing()
      const { request_id } = (await response.json()) as { request_id: string }
      assert.deepStrictEqual(
        [response.status, response.headers.get("idempotent-replayed")],
        [404, isAgain ? "true" : null]
      )
      assert.strictEqual(request_id, response.headers.get("request-id"))
      numbers.add(request_id)
    }
    assert.strictEqual(numbers.size, 2)
  })

  it("make nothing twice when their answer was lost", async () => {
    const body = JSON.stringify({ agent: ((await (await post("/v1/agents", agent("a"))).json()) as { id: string }).id })
    const listed = (await (await world.fetch("/v1/environments")).json()) as { data: ReadonlyArray<{ id: string }> }
    // The next session makes the usual environment anew, and its retry finds it there.
    for (const { id } of listed.data) await world.fetch(`/v1/environments/${id}`, { method: "DELETE" })
    const send = async () => {
      const response = await post("/v1/sessions", body, { "idempotency-key": "key-4" })
      return ((await response.json()) as { id: string }).id
    }
    const first = await send()
    await world.forget("key-4")
    assert.strictEqual(await send(), first)
  })

  it("never reach what another workspace has", async () => {
    const made = (await (await post("/v1/agents", agent("mine"))).json()) as { id: string }
    const session = (await (await post("/v1/sessions", JSON.stringify({ agent: made.id }))).json()) as { id: string }
    const stranger = await world.node.run(
      Effect.gen(function* () {
        const workspaceId = yield* (yield* Workspaces).create("other", system)
        const tokens = yield* Tokens
        return yield* tokens.create({ workspaceId, kind: "api_key", name: "k", labels: [], scopes: ["admin"] }, system)
      })
    )
    const headers = { "x-api-key": Redacted.value(stranger.secret) }
    const unknown = "sesn_011CZkZAtmR3yMPDzynEDxu7"
    for (const path of ["", "/events", "/events/stream", "/log", "/log/stream", "/threads"]) {
      const theirs = await problem(await world.fetch(`/v1/sessions/${session.id}${path}`, { headers }))
      const nobodys = await problem(await world.fetch(`/v1/sessions/${unknown}${path}`, { headers }))
      assert.deepStrictEqual(theirs.slice(0, 2), [404, "not_found_error"])
      assert.strictEqual(theirs[2], nobodys[2].replace(unknown, session.id))
    }
    const send = await post(`/v1/sessions/${session.id}/events`, `{"events":[{"type":"user.interrupt"}]}`, headers)
    assert.strictEqual(send.status, 404)
    assert.strictEqual((await world.fetch(`/v1/agents/${made.id}`, { headers })).status, 404)
    assert.deepStrictEqual(((await (await world.fetch("/v1/sessions", { headers })).json()) as { data: [] }).data, [])
    const opened = await post("/v1/sessions", JSON.stringify({ agent: made.id }), headers)
    assert.strictEqual(opened.status, 404)
  })

  it("leave each change of configuration in the workspace's log", async () => {
    const types = await world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        return yield* sql<{ readonly type: string }>`SELECT DISTINCT type FROM events WHERE kind = 1 ORDER BY type`
      })
    )
    const seen = types.map(({ type }) => type)
    for (const type of ["AgentCreated", "EnvironmentCreated", "TokenCreated", "TokenRevoked"])
      assert.include(seen, type)
  })

  it.each([
    ["events that are none", `{"events":[]}`],
    ["an event of no kind", `{"events":[{"type":"agent.message","content":[]}]}`],
    ["an empty message", `{"events":[{"type":"user.message","content":[]}]}`],
    ["a redacted block", `{"events":[{"type":"user.message","content":[{"type":"redacted"}]}]}`],
    [
      "a file that is none",
      `{"events":[{"type":"user.message","content":[{"type":"image","source":{"type":"file","file_id":"file_1"}}]}]}`
    ],
    [
      "a message with a field that is none",
      `{"events":[{"type":"user.message","content":[{"type":"text","text":"a"}],"x":1}]}`
    ],
    ["a system message alone", `{"events":[{"type":"system.message","content":[{"type":"text","text":"a"}]}]}`],
    [
      "a confirmation of nothing",
      `{"events":[{"type":"user.tool_confirmation","tool_use_id":"sevt_011CZkZAtmR3yMPDzynEDxu7","result":"allow"}]}`
    ],
    [
      "a result of nothing",
      `{"events":[{"type":"user.custom_tool_result","custom_tool_use_id":"sevt_011CZkZAtmR3yMPDzynEDxu7"}]}`
    ],
    [
      "a good and a bad one",
      `{"events":[{"type":"user.message","content":[{"type":"text","text":"a"}]},{"type":"nothing"}]}`
    ]
  ])("change nothing with %s", async (_, body) => {
    const made = (await (await post("/v1/agents", agent("a"))).json()) as { id: string }
    const session = (await (await post("/v1/sessions", JSON.stringify({ agent: made.id }))).json()) as { id: string }
    assert.deepStrictEqual(await refusal(await post(`/v1/sessions/${session.id}/events`, body)), [
      400,
      "invalid_request_error"
    ])
    const log = (await (await world.fetch(`/v1/sessions/${session.id}/log`)).json()) as { data: ReadonlyArray<object> }
    assert.strictEqual(log.data.length, 1)
  })

  it.each(["order=up", "created_at[gte]=yesterday"])("are refused with ?%s", async (query) => {
    const made = (await (await post("/v1/agents", agent("a"))).json()) as { id: string }
    const { id } = (await (await post("/v1/sessions", JSON.stringify({ agent: made.id }))).json()) as { id: string }
    assert.strictEqual((await refusal(await world.fetch(`/v1/sessions/${id}/events?${query}`)))[0], 400)
  })

  it("of lists take a limit and a cursor, all alike", async () => {
    interface Operation {
      readonly parameters: ReadonlyArray<{ readonly name: string }>
      readonly responses: Readonly<Record<string, unknown>>
    }
    const described = (await (await world.fetch("/openapi.json")).json()) as {
      paths: Readonly<Record<string, { readonly get?: Operation }>>
    }
    const made = async (path: string, body: object) =>
      ((await (await post(path, JSON.stringify(body))).json()) as { id: string }).id
    const agentId = await made("/v1/agents", { name: "listed", model: "demo" })
    const ids: Record<string, string> = {
      agents: agentId,
      environments: await made("/v1/environments", { name: "listed", config: { type: "self_hosted" } }),
      sessions: await made("/v1/sessions", { agent: agentId })
    }
    const registration = await post("/v1/tokens", JSON.stringify({ kind: "runner_registration", name: "listed" }))
    const { secret } = (await registration.json()) as { secret: string }
    for (const name of ["one", "two", "three"]) {
      await post("/v1/runners/register", JSON.stringify({ name }), { "x-api-key": secret })
    }
    interface Named {
      readonly data: ReadonlyArray<{ readonly name: string }>
      readonly next_page: string | null
    }
    const named: Array<string> = []
    for (let page: string | null = ""; page !== null;) {
      const answer = await world.fetch(`/v1/runners?limit=2${page === "" ? "" : `&page=${page}`}`)
      const { data, next_page } = (await answer.json()) as Named
      named.push(...data.map(({ name }) => name))
      page = next_page
    }
    assert.deepStrictEqual(named, ["one", "two", "three"])
    const threads = await (await world.fetch(`/v1/sessions/${ids["sessions"]}/threads`)).json()
    ids["threads"] = (threads as { data: ReadonlyArray<{ id: string }> }).data[0]!.id
    const lists = Object.entries(described.paths).flatMap(([path, { get }]) =>
      get !== undefined && JSON.stringify(get.responses["200"]).includes('"next_page"') ? [[path, get] as const] : []
    )
    assert.isAbove(lists.length, 25)
    for (const [path, { parameters }] of lists) {
      assert.includeMembers(
        parameters.map(({ name }) => name),
        ["limit", "page"],
        path
      )
      const at = path.replaceAll(/(\w+)\/\{\w+\}/g, (_, of: string) => `${of}/${ids[of] ?? mintId(prng(4), "Runner")}`)
      const ask = async (query: string) => {
        const response = await world.fetch(`${at}?q=x&${query}`)
        return response.status === 200 ? ([200] as const) : await problem(response)
      }
      for (const limit of ["0", "1001", "x"]) {
        assert.deepStrictEqual(
          (await ask(`limit=${limit}`)).slice(0, 2),
          [400, "invalid_request_error"],
          `${at} ${limit}`
        )
      }
      // What is at a session's place, or on a runner, is not asked for where there is neither.
      if (/files$|directories$/.test(path) && path !== "/v1/files") continue
      assert.strictEqual((await ask("limit=1"))[0], 200, at)
      for (const page of ["x", "page_", "page_WyJub3doZXJlIiwxXQ"]) {
        assert.deepStrictEqual(
          (await ask(`page=${page}`)).slice(0, 3),
          [400, "invalid_request_error", "invalid page cursor"],
          at
        )
      }
    }
  })

  it("for the head of a stream alone end at once", async () => {
    const made = (await (await post("/v1/agents", agent("a"))).json()) as { id: string }
    const { id } = (await (await post("/v1/sessions", JSON.stringify({ agent: made.id }))).json()) as { id: string }
    const head = await world.fetch(`/v1/sessions/${id}/events/stream`, { method: "HEAD" })
    assert.deepStrictEqual([head.status, await head.text()], [200, ""])
  })

  it("are described by an OpenAPI document", async () => {
    const described = (await (await world.fetch("/openapi.json")).json()) as {
      openapi: string
      paths: Record<string, object>
    }
    assert.match(described.openapi, /^3\.1/)
    assert.containsAllKeys(described.paths, ["/v1/agents", "/v1/sessions/{id}/events", "/v1/sessions/{id}/log/stream"])
  })
})
