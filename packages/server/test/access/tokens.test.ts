import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type GatewayWorld, startGateway } from "../gateway/gatewayWorld.ts"
import { endsBy, refusalOf } from "../support/revocation.ts"
import { asking, bearer, type Headings, strangersKey } from "./accessWorld.ts"

const unknownSession = "sesn_011CZkZAtmR3yMPDzynEDxu7"

describe("tokens", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let agentId: string
  const { ask, get, own, post, remove } = asking(() => world)
  beforeAll(async () => {
    world = await startGateway()
    agentId = (await post("/v1/agents", { name: "a", model: "demo" })).body.id
  }, 120_000)
  afterAll(() => world?.end())

  const session = async (endUser?: string): Promise<string> =>
    (
      await post("/v1/sessions", {
        agent: agentId,
        ...(endUser === undefined ? {} : { troupe: { end_user: endUser } })
      })
    ).body.id
  const token = async (asked: object, headers: Headings = own): Promise<{ id: string; secret: string }> => {
    const made = await post("/v1/tokens", asked, headers)
    assert.strictEqual(made.status, 200, made.text)
    return made.body
  }
  const as = async (asked: object) => bearer((await token(asked)).secret)
  const ids = (listed: { body: { data: ReadonlyArray<{ id: string }> } }) => listed.body.data.map(({ id }) => id)

  describe("of an end user", () => {
    it("open the sessions that carry the user's id, and look as if there were no others", async () => {
      const [mine, anns] = [await session("ben"), await session("ann")]
      const ben = await as({ kind: "end_user", subject: "ben" })
      assert.deepStrictEqual(ids(await get("/v1/sessions", ben)), [mine])
      assert.strictEqual((await get(`/v1/sessions/${mine}`, ben)).status, 200)
      for (const path of ["", "/events", "/events/stream", "/log", "/log/stream", "/threads"]) {
        const anothers = await get(`/v1/sessions/${anns}${path}`, ben)
        const nobodys = await get(`/v1/sessions/${unknownSession}${path}`, ben)
        assert.strictEqual(anothers.status, 404)
        assert.strictEqual(anothers.body.error.message, nobodys.body.error.message.replace(unknownSession, anns))
      }
      for (const [method, path] of [
        ["POST", ""],
        ["POST", "/archive"],
        ["POST", "/pause"],
        ["DELETE", ""]
      ] as const) {
        const body = method === "POST" && path === "" ? { title: "mine now" } : undefined
        assert.strictEqual((await ask(method, `/v1/sessions/${anns}${path}`, ben, body)).status, 404)
      }
      assert.strictEqual((await get(`/v1/sessions/${anns}`)).body.title, null)
    })

    it("open sessions that carry it, as what the product made of them", async () => {
      const cleo = await as({ kind: "end_user", subject: "cleo" })
      const opened = await post("/v1/sessions", { agent: agentId }, cleo)
      assert.strictEqual(opened.status, 200, opened.text)
      assert.deepStrictEqual(ids(await get("/v1/sessions", cleo)), [opened.body.id])
      const log = await get(`/v1/sessions/${opened.body.id}/log`)
      assert.deepInclude(log.body.data[0].actor, { type: "end_user", subject: "cleo" })
      for (const refused of [
        { agent: { type: "agent_with_overrides", id: agentId, system: "Do as I say." } },
        { agent: agentId, troupe: { end_user: "ann" } },
        { agent: agentId, resources: [{ type: "file", file_id: "file_011CZkZAtmR3yMPDzynEDxu7" }] },
        { agent: agentId, budget: { type: "limit", max_list_cost: { amount: "100", currency: "USD" } } }
      ]) {
        assert.strictEqual((await post("/v1/sessions", refused, cleo)).status, 403)
      }
      const resource = { type: "file", file_id: "file_011CZkZAtmR3yMPDzynEDxu7" }
      assert.strictEqual((await post(`/v1/sessions/${opened.body.id}/resources`, resource, cleo)).status, 403)
      assert.strictEqual((await post(`/v1/sessions/${opened.body.id}/exec`, { command: "id" }, cleo)).status, 403)
      const changed = { agent: { tools: [] } }
      assert.strictEqual((await post(`/v1/sessions/${opened.body.id}`, changed, cleo)).status, 403)
      assert.strictEqual((await post(`/v1/sessions/${opened.body.id}`, { title: "ours" }, cleo)).body.title, "ours")
    })

    it("have idempotency keys of their own, which nobody else's answers come by", async () => {
      const asked = { agent: agentId, title: "first" }
      const open = async (headers: Headings) => {
        const opened = await post("/v1/sessions", asked, { ...headers, "idempotency-key": "first" })
        assert.strictEqual(opened.status, 200, opened.text)
        return opened.body.id as string
      }
      const [gus, hal] = [
        await as({ kind: "end_user", subject: "gus" }),
        await as({ kind: "end_user", subject: "hal" })
      ]
      const [products, guss, hals] = [await open(own), await open(gus), await open(hal)]
      assert.lengthOf([...new Set([products, guss, hals])], 3)
      // Of one user it is the same with whatever token.
      assert.strictEqual(await open(await as({ kind: "end_user", subject: "gus" })), guss)
      assert.deepStrictEqual(ids(await get("/v1/sessions", hal)), [hals])
    })

    it("open no more than the sessions that are named, where some are", async () => {
      const [named, other] = [await session("dan"), await session("dan")]
      const dan = await as({ kind: "end_user", subject: "dan", session_ids: [named], scopes: ["read"] })
      assert.deepStrictEqual(ids(await get("/v1/sessions", dan)), [named])
      assert.strictEqual((await get(`/v1/sessions/${other}`, dan)).status, 404)
      assert.strictEqual((await post("/v1/sessions", { agent: agentId }, dan)).status, 403)
      assert.strictEqual((await post(`/v1/sessions/${named}/archive`, undefined, dan)).status, 403)
    })

    it("open nothing of the workspace", async () => {
      const eve = await as({ kind: "end_user", subject: "eve" })
      for (const path of ["/v1/agents", `/v1/agents/${agentId}`, "/v1/environments", "/v1/runners", "/v1/tokens"]) {
        assert.strictEqual((await get(path, eve)).status, 403, path)
      }
      const more = { kind: "end_user", subject: "ann" }
      assert.strictEqual((await post("/v1/tokens", more, eve)).status, 403)
      const me = (await get("/v1/me", eve)).body
      assert.deepStrictEqual(me.bound_to, { type: "end_user", subject: "eve", session_ids: null })
      assert.strictEqual(me.operator, false)
    })
  })

  it("of a worker open one session", async () => {
    const [its, other] = [await session(), await session()]
    const worker = await as({ kind: "worker", session_id: its })
    assert.strictEqual((await get(`/v1/sessions/${its}`, worker)).status, 200)
    assert.deepStrictEqual(ids(await get("/v1/sessions", worker)), [its])
    const message = { events: [{ type: "user.message", content: [{ type: "text", text: "hello" }] }] }
    assert.strictEqual((await post(`/v1/sessions/${its}/events`, message, worker)).status, 200)
    assert.strictEqual((await post(`/v1/sessions/${other}/events`, message, worker)).status, 404)
    assert.strictEqual((await post("/v1/sessions", { agent: agentId }, worker)).status, 403)
  })

  it("of an environment open it and its sessions", async () => {
    const made = await post("/v1/environments", { name: "e", config: { type: "cloud" } })
    const other = await post("/v1/environments", { name: "f", config: { type: "cloud" } })
    const its = (await post("/v1/sessions", { agent: agentId, environment_id: made.body.id })).body.id
    const elsewhere = (await post("/v1/sessions", { agent: agentId, environment_id: other.body.id })).body.id
    const key = await as({ kind: "environment_key", name: "w", environment_id: made.body.id })
    assert.strictEqual((await get(`/v1/environments/${made.body.id}`, key)).status, 200)
    assert.strictEqual((await get(`/v1/environments/${other.body.id}`, key)).status, 404)
    assert.deepStrictEqual(ids(await get("/v1/sessions", key)), [its])
    assert.strictEqual((await get(`/v1/sessions/${elsewhere}`, key)).status, 404)
  })

  it("of a stream read one session, in an address too, and change nothing", async () => {
    const its = await session()
    const { secret } = await token({ kind: "stream", session_id: its })
    const stop = new AbortController()
    const stream = await fetch(`${world.node.gateway}/v1/sessions/${its}/log/stream?token=${secret}`, stop)
    assert.strictEqual(stream.status, 200)
    stop.abort()
    assert.strictEqual((await post(`/v1/sessions/${its}/archive`, undefined, bearer(secret))).status, 403)
    const key = await token({ kind: "api_key", name: "k", scopes: ["read"] })
    assert.strictEqual((await get(`/v1/sessions/${its}?token=${key.secret}`, {})).status, 401)
  })

  it("are given by those alone who have what they give", async () => {
    const reader = await as({ kind: "api_key", name: "r", scopes: ["read"] })
    const writer = await as({ kind: "api_key", name: "w", scopes: ["write"] })
    const user = { kind: "end_user", subject: "u" }
    assert.strictEqual((await post("/v1/tokens", { ...user, scopes: ["write"] }, reader)).status, 403)
    assert.strictEqual((await post("/v1/tokens", user, writer)).status, 403)
    assert.strictEqual((await post("/v1/tokens", { ...user, scopes: ["read", "write"] }, writer)).status, 200)
    for (const asked of [
      { kind: "api_key", name: "more", scopes: ["read"] },
      { kind: "runner_registration", name: "r" }
    ]) {
      assert.strictEqual((await post("/v1/tokens", asked, writer)).status, 403)
    }
  })

  it("are for things that are there, and last as long as they may", async () => {
    const stranger = await strangersKey(world)
    const ours = await session()
    const asked = { kind: "worker", session_id: ours }
    const theirs = await post("/v1/tokens", asked, bearer(stranger))
    const nobodys = await post("/v1/tokens", { ...asked, session_id: unknownSession }, bearer(stranger))
    assert.strictEqual(theirs.status, 404)
    assert.strictEqual(theirs.body.error.message, nobodys.body.error.message.replace(unknownSession, ours))
    const user = { kind: "end_user", subject: "u" }
    for (const expires_at of ["2020-01-01", new Date(Date.now() + 32 * 86_400_000).toISOString(), "soon"]) {
      assert.strictEqual((await post("/v1/tokens", { ...user, expires_at })).status, 400)
    }
    const soon = new Date(Date.now() + 60_000).toISOString()
    const key = await token({ kind: "api_key", name: "k", scopes: ["admin"], expires_at: soon })
    const derived = await post("/v1/tokens", user, bearer(key.secret))
    assert.strictEqual(derived.body.expires_at, soon)
  })

  it("end with what they were given for, on open streams as well", async () => {
    const key = await token({ kind: "api_key", name: "k", scopes: ["admin"] })
    const user = await token({ kind: "end_user", subject: "fay" }, bearer(key.secret))
    const its = await session("fay")
    const viewer = await token({ kind: "stream", session_id: its }, bearer(user.secret))
    const stream = await fetch(`${world.node.gateway}/v1/sessions/${its}/log/stream?token=${viewer.secret}`)
    assert.strictEqual(stream.status, 200)
    // The body ends by itself, or this never returns.
    const [text, ...refusals] = await endsBy(remove(`/v1/tokens/${key.id}`), () =>
      Promise.all([
        stream.text(),
        ...[key, user, viewer].map(({ secret }) => refusalOf(() => get("/v1/me", bearer(secret))))
      ])
    )
    assert.include(text, "SessionOpened")
    assert.deepStrictEqual(refusals, [401, 401, 401])
  })

  it("are listed by kind, in pages, with what they are for and without what opens doors", async () => {
    const made = [await token({ kind: "end_user", subject: "g" }), await token({ kind: "end_user", subject: "h" })]
    const first = await get("/v1/tokens?kind=end_user&limit=1")
    assert.deepStrictEqual(ids(first), [made[1]!.id])
    assert.strictEqual(first.body.data[0].bound_to.subject, "h")
    const second = await get(`/v1/tokens?kind=end_user&limit=1&page=${first.body.next_page}`)
    assert.deepStrictEqual(ids(second), [made[0]!.id])
    assert.notInclude(first.text, made[1]!.secret)
    assert.strictEqual((await get("/v1/tokens?kind=nothing")).status, 400)
    assert.strictEqual((await get("/v1/tokens?page=page_x")).status, 400)
  })

  it("show their secret once, also to requests that are sent again, and are made once", async () => {
    const asked = { kind: "api_key", name: "once", scopes: ["read"] }
    const again = { ...own, "idempotency-key": "once-1" }
    const { secret } = await token(asked, again)
    const replayed = await post("/v1/tokens", asked, again)
    assert.deepStrictEqual([replayed.status, replayed.headers.get("x-should-retry")], [409, "false"])
    assert.notInclude(replayed.text, secret)
    const kept = await world.node.run(
      Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql<{ readonly body: string }>`SELECT body FROM idempotency_keys WHERE key = 'once-1'`
      )
    )
    assert.notInclude(kept[0]!.body, secret)
    // As after a crash between the two.
    await world.node.run(
      Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`UPDATE idempotency_keys SET status = NULL, body = NULL WHERE key = 'once-1'`
      )
    )
    assert.strictEqual((await post("/v1/tokens", asked, again)).status, 409)
    const listed = await get("/v1/tokens?kind=api_key&limit=100")
    assert.lengthOf(
      (listed.body.data as ReadonlyArray<{ name: string }>).filter(({ name }) => name === "once"),
      1
    )
  })

  it("of workspaces that operators made open these alone", async () => {
    const made = await post("/v1/workspaces", { name: "second" })
    assert.strictEqual(made.body.name, "second")
    const asked = { kind: "api_key", name: "k", scopes: ["admin"] }
    const key = (await post(`/v1/workspaces/${made.body.id}/tokens`, asked)).body
    const second = bearer(key.secret)
    assert.strictEqual((await get("/v1/me", second)).body.workspace.id, made.body.id)
    assert.deepStrictEqual(ids(await get("/v1/workspaces", second)), [made.body.id])
    assert.include(ids(await get("/v1/workspaces")), made.body.id)
    assert.deepStrictEqual(ids(await get("/v1/sessions", second)), [])
    assert.strictEqual((await post("/v1/workspaces", { name: "third" }, second)).status, 403)
    const first = (await get("/v1/me")).body.workspace.id
    assert.strictEqual((await post(`/v1/workspaces/${first}/tokens`, asked, second)).status, 404)
    assert.strictEqual((await post(`/v1/workspaces/${made.body.id}/tokens`, asked, second)).status, 200)
    assert.strictEqual((await post("/v1/workspaces", { name: "\u0007" })).status, 400)
  })
})
