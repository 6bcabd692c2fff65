import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { apiKey } from "../support/apiKey.ts"
import { sdks } from "../support/anthropic.ts"
import { type GatewayWorld, plays, startGateway, think, tool } from "./gatewayWorld.ts"
import { eventsOf } from "./ownWorld.ts"

interface Refused {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly errorCode?: string | null
  readonly requestID?: string | null
  readonly error: {
    readonly error: { readonly type: string; readonly details?: { readonly error_code?: string } | null }
  }
}

describe.each(sdks)("the contract, through the Anthropic SDK %s:", { timeout: 120_000 }, (_, Sdk) => {
  let world: GatewayWorld
  let agentId: string
  beforeAll(async () => {
    world = await startGateway({}, undefined, Sdk)
    agentId = (await world.client.beta.agents.create({ name: "helper", model: "demo", system: "help" })).id
  }, 120_000)
  afterAll(() => world?.end())

  const sessions = () => world.client.beta.sessions
  const open = (more: object = {}) => sessions().create({ agent: agentId, ...more } as never)
  const say = (text: string) => ({ type: "user.message" as const, content: [{ type: "text" as const, text }] })
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (failure: Refused) => {
        const { error, message, requestID, status } = failure
        // The older SDK has no word of its own for it.
        const { errorCode = error.error.details?.error_code ?? null, type = error.error.type } = failure
        return { status, type, errorCode, message, requestID }
      }
    )
  const idle = async (id: string, ...events: ReadonlyArray<object>) => {
    const stream = await sessions().events.stream(id)
    await sessions().events.send(id, { events: events as never })
    const seen = []
    for await (const event of stream) {
      seen.push(event)
      if (event.type === "session.status_idle") break
    }
    return seen
  }
  const typesOf = (events: ReadonlyArray<{ readonly type: string }>) => events.map(({ type }) => type)

  it("every frame of a stream is named by the type of its event, or as a message where older SDKs know no such name", async () => {
    const { id } = await open()
    const response = await world.fetch(`/v1/sessions/${id}/events/stream`)
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/)
    await sessions().events.send(id, { events: [say("hello")] })
    for await (const { data, event, id: seq } of eventsOf(response)) {
      assert.deepStrictEqual([event, seq], [data.type === "session.usage" ? "message" : data.type, null])
      if (event === "session.status_idle") break
    }
  })

  it("a stream tells all that a list does", async () => {
    const { beta } = world.client
    const { id } = await open()
    world.script(plays(think(), tool("read"), think()))
    const stream = await beta.sessions.events.stream(id)
    await beta.sessions.events.send(id, { events: [say("hello")] })
    const seen: Array<{ readonly type: string }> = []
    for await (const event of stream) {
      seen.push(event)
      if (event.type === "session.status_idle") break
    }
    const listed: Array<unknown> = []
    for await (const event of beta.sessions.events.list(id)) listed.push(event)
    assert.deepStrictEqual(seen as unknown, listed)
    assert.includeMembers(typesOf(seen), ["agent.tool_use", "session.usage"])
  })

  it("a stream tells what comes, and nothing of what was", async () => {
    const { id } = await open()
    const first = await idle(id, say("one"))
    const second = await idle(id, say("two"))
    const known = new Set(first.map((event) => ("id" in event ? event.id : "")))
    assert.isEmpty(second.filter((event) => "id" in event && known.has(event.id)))
    assert.strictEqual(second[0]!.type, "user.message")
  })

  it("a stream's last word of a session that is deleted is that it is", async () => {
    const { id } = await open()
    const stream = await sessions().events.stream(id)
    await sessions().delete(id)
    const seen = []
    for await (const { type } of stream) seen.push(type)
    assert.deepStrictEqual(seen, ["session.deleted"])
  })

  it("conflicts are not sent again by a client that sends conflicts again", async () => {
    let requests = 0
    const counting = new Sdk({
      apiKey,
      baseURL: world.node.gateway,
      maxRetries: 2,
      fetch: (url, init) => {
        requests++
        return fetch(url, init)
      }
    })
    const { id } = await world.client.beta.agents.create({ name: "n", model: "demo" })
    await world.client.beta.agents.update(id, { name: "m", version: 1 })
    assert.strictEqual((await refused(counting.beta.agents.update(id, { name: "o", version: 1 }))).status, 409)
    assert.strictEqual(requests, 1)
    assert.strictEqual((await refused(counting.beta.agents.update(id, { name: "m", version: 1 }))).status, 409)
  })

  it("a request id is on answers, errors and pages alike", async () => {
    const { request_id } = await world.client.beta.agents.retrieve(agentId).withResponse()
    assert.match(request_id ?? "", /^req_/)
    const { requestID } = await refused(sessions().retrieve("sesn_011CZkZAtmR3yMPDzynEDxu7"))
    assert.match(requestID ?? "", /^req_/)
  })

  it("overrides make another agent of one, for a session alone", async () => {
    const tools = [{ type: "custom", name: "t", description: "d", input_schema: { type: "object" } }]
    const over = (change: object) => open({ agent: { type: "agent_with_overrides", id: agentId, ...change } })
    const { agent } = await over({ system: "other", tools })
    assert.deepStrictEqual([agent.id, agent.version, agent.system, agent.tools.length], [agentId, 1, "other", 1])
    assert.isNull((await over({ system: null })).agent.system)
    assert.strictEqual((await over({})).agent.system, "help")
    assert.strictEqual((await refused(over({ model: null }))).errorCode, "agent_model_required")
    const base = await world.client.beta.agents.retrieve(agentId)
    assert.deepStrictEqual([base.version, base.system, base.tools], [1, "help", []])
  })

  it("a session's own copy of an agent is held to the bounds of agents", async () => {
    const tools = Array.from({ length: 257 }, (_, n) => ({
      type: "custom" as const,
      name: `t${n}`,
      description: "d",
      input_schema: { type: "object" as const }
    }))
    const mcp_servers = Array.from({ length: 21 }, (_, n) => ({
      type: "url" as const,
      name: `m${n}`,
      url: "https://a.example"
    }))
    const toolsets = mcp_servers.map(({ name }) => ({ type: "mcp_toolset" as const, mcp_server_name: name }))
    const { id } = await open()
    for (const change of [{ tools }, { mcp_servers, tools: toolsets }]) {
      const over = open({ agent: { type: "agent_with_overrides", id: agentId, ...change } })
      assert.strictEqual((await refused(over)).status, 400)
      assert.strictEqual((await refused(sessions().update(id, { agent: change }))).status, 400)
    }
  })

  it("an update that is refused in part changes nothing", async () => {
    const { id } = await open()
    const budget = { type: "limit" as const, max_list_cost: { amount: "100", currency: "USD" as const } }
    const tools = [{ type: "agent_toolset_20260401" as const }]
    const both = sessions().update(id, { agent: { tools }, budget, title: "other" })
    assert.strictEqual((await refused(both)).errorCode, "budget_create_only")
    const after = await sessions().retrieve(id)
    assert.deepStrictEqual([after.agent.tools, after.title], [[], null])
  })

  it("a version that no agent can have is not found", async () => {
    const huge = 99_999_999_999
    const retrieved = world.client.beta.agents.retrieve(agentId, { version: huge })
    assert.strictEqual((await refused(retrieved)).status, 404)
    assert.strictEqual((await refused(open({ agent: { type: "agent", id: agentId, version: huge } }))).status, 404)
    assert.isEmpty((await sessions().list({ agent_id: agentId, agent_version: huge })).data)
  })

  it("a session that works is neither archived nor deleted, and says why", async () => {
    const { id } = await open()
    world.script(plays(think(1, 60_000)))
    await sessions().events.send(id, { events: [say("work")] })
    const why = async (call: Promise<unknown>) => {
      const { message, status } = await refused(call)
      return [status, (JSON.parse(message.slice(4)) as { error: { message: string } }).error.message]
    }
    assert.deepStrictEqual(await why(sessions().archive(id)), [
      400,
      `Session ${id} cannot be archived while its status is "running". Only pending or idle sessions may be archived.`
    ])
    assert.deepStrictEqual(await why(sessions().delete(id)), [
      400,
      "Cannot delete session while it is running. Send an interrupt event or wait for the session to complete."
    ])
    assert.strictEqual(
      (await refused(sessions().update(id, { agent: { tools: [{ type: "agent_toolset_20260401" }] } }))).status,
      400
    )
    assert.strictEqual((await sessions().retrieve(id)).status, "running")
    await idle(id, { type: "user.interrupt" })
    assert.isString((await sessions().archive(id)).archived_at)
  })

  it("a page of events is of one order, and of one session", async () => {
    const { id } = await open()
    await idle(id, say("hello"))
    const { next_page } = await sessions().events.list(id, { limit: 2 })
    const page = next_page!
    const { message } = await refused(sessions().events.list(id, { limit: 2, order: "desc", page }) as Promise<unknown>)
    assert.include(message, "page token order does not match request")
    const other = sessions().events.list((await open()).id, { page }) as Promise<unknown>
    assert.include((await refused(other)).message, "invalid page cursor")
    assert.lengthOf((await sessions().events.list(id, { limit: 3, page })).data!, 3)
  })

  it("a session takes no vaults, and none later", async () => {
    const vault_ids = ["vlt_011CZkZAtmR3yMPDzynEDxu7"]
    assert.strictEqual((await refused(open({ vault_ids }))).status, 400)
    const { id, vault_ids: none } = await open({ vault_ids: [] })
    assert.deepStrictEqual(none, [])
    for (const given of [vault_ids, []]) {
      assert.strictEqual((await refused(sessions().update(id, { vault_ids: given }))).status, 400)
    }
  })

  it("an environment forgets metadata that is null or empty, and opens nothing once it is archived", async () => {
    const { environments } = world.client.beta
    const { id } = await environments.create({ name: "e", metadata: { a: "1", b: "2", c: "3" } })
    const { metadata } = await environments.update(id, { metadata: { a: null, b: "" } })
    assert.deepStrictEqual(metadata, { c: "3" })
    const before = await open({ environment_id: id })
    const archived = await environments.archive(id)
    assert.strictEqual((await environments.archive(id)).archived_at, archived.archived_at)
    assert.strictEqual((await refused(open({ environment_id: id }))).errorCode, "environment_archived")
    assert.include(typesOf(await idle(before.id, say("go on"))), "agent.message")
  })

  it("a session begins with at most 50 events, one outcome among them", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => say(`${n}`))
    assert.strictEqual((await refused(open({ initial_events: many(51) }))).status, 400)
    const outcome = { type: "user.define_outcome", description: "d", rubric: { type: "text", content: "r" } }
    assert.strictEqual((await refused(open({ initial_events: [outcome, outcome] }))).status, 400)
    const { id } = await open({ initial_events: many(50) })
    const { data } = await sessions().events.list(id, { types: ["user.message"], limit: 100 })
    assert.lengthOf(data!, 50)
    // What other sessions are to do next is not for its turns.
    assert.strictEqual((await world.fetch(`/v1/sessions/${id}/pause`, { method: "POST" })).status, 200)
  })

  it("a budget is given when a session is created, raised, and taken away for good", async () => {
    const limit = (amount: string) => ({ type: "limit" as const, max_list_cost: { amount, currency: "USD" as const } })
    const { id } = await open()
    assert.strictEqual((await refused(sessions().update(id, { budget: limit("100") }))).errorCode, "budget_create_only")
    const bounded = await open({ budget: limit("500") })
    assert.deepStrictEqual((await sessions().retrieve(bounded.id)).budget, limit("500"))
    assert.strictEqual((await refused(sessions().update(bounded.id, { budget: limit("0") }))).status, 400)
    world.script(plays({ _tag: "Think", ms: 1, deltas: 0, tokens: 10_000 }))
    await idle(bounded.id, say("spend three cents"))
    const asMuch = sessions().update(bounded.id, { budget: limit("3") })
    assert.strictEqual((await refused(asMuch)).errorCode, "budget_not_raised")
    assert.deepStrictEqual((await sessions().update(bounded.id, { budget: limit("4") })).budget, limit("4"))
    assert.isNull((await sessions().update(bounded.id, { budget: null })).budget)
    assert.strictEqual((await refused(sessions().update(bounded.id, { budget: limit("900") }))).status, 400)
  })

  it("an interrupt of a session that rests changes nothing", async () => {
    const { id } = await open()
    await idle(id, say("hello"))
    const before = typesOf((await sessions().events.list(id)).data!)
    await sessions().events.send(id, { events: [{ type: "user.interrupt" }] })
    assert.strictEqual((await sessions().retrieve(id)).status, "idle")
    const after = typesOf((await sessions().events.list(id)).data!)
    assert.deepStrictEqual(
      after.filter((type) => type !== "user.interrupt"),
      before
    )
  })

  it("a message that comes with an interrupt begins the next turn", async () => {
    const { id } = await open()
    world.script(plays(think(1, 60_000)), plays(think()))
    const stream = await sessions().events.stream(id)
    await sessions().events.send(id, { events: [say("one")] })
    await sessions().events.send(id, { events: [{ type: "user.interrupt" }, say("two")] })
    const seen: Array<string> = []
    for await (const event of stream) {
      seen.push(event.type)
      if (event.type === "session.status_idle" && seen.filter((type) => type === "user.message").length === 2) break
    }
    assert.isBelow(seen.indexOf("user.interrupt"), seen.lastIndexOf("user.message"))
  })

  it("a system message is one, the last, and behind a user's event", async () => {
    const { id } = await open()
    const system = { type: "system.message", content: [{ type: "text", text: "s" }] }
    const send = (...events: ReadonlyArray<object>) => sessions().events.send(id, { events: events as never })
    for (const wrong of [[system], [system, say("a")], [say("a"), system, system], [say("a"), system, say("b")]]) {
      assert.strictEqual((await refused(send(...wrong))).status, 400)
    }
    assert.lengthOf((await send(say("a"), system)).data!, 2)
  })

  it("a system message stands behind the message that it came with, while that waits and once it is taken up", async () => {
    const { id } = await open()
    world.script(plays(think(1, 60_000)), plays(think()))
    const system = { type: "system.message", content: [{ type: "text", text: "s" }] }
    await sessions().events.send(id, { events: [say("one")] })
    const sent = (await sessions().events.send(id, { events: [say("two"), system] as never })).data!
    const types = ["user.message", "system.message"] as const
    const listed = async () => (await sessions().events.list(id, { types: [...types] })).data.slice(1)
    assert.deepStrictEqual(
      sent.map(({ processed_at }) => processed_at),
      [null, null]
    )
    assert.deepStrictEqual(await listed(), sent as never)
    const seen = await idle(id, { type: "user.interrupt" }, { ...system, content: [{ type: "text", text: "stop" }] })
    const told = seen.flatMap((event) =>
      /^user|^system/.test(event.type) && "id" in event ? [[event.type, event.id]] : []
    )
    assert.deepStrictEqual(
      told.map(([type]) => type),
      ["user.interrupt", "system.message", "user.message", "system.message"]
    )
    assert.deepStrictEqual(
      told.slice(2).map(([, id]) => id),
      sent.map(({ id }) => id)
    )
    const places = await listed()
    assert.deepStrictEqual(
      places.map(({ type }) => type),
      ["system.message", "user.message", "system.message"]
    )
    assert.isTrue(places.every((event) => "processed_at" in event && event.processed_at !== null))
  })

  it("previews are of messages and of thinking, and of nothing else", async () => {
    const { id } = await open()
    const wrong = sessions().events.stream(id, { event_deltas: ["agent.tool_use" as never] })
    assert.strictEqual((await refused(wrong as unknown as Promise<unknown>)).status, 400)
    const both = await sessions().events.stream(id, { event_deltas: ["agent.message", "agent.thinking"] })
    both.controller.abort()
  })

  it("an outcome is kept as it was defined", async () => {
    const { id } = await open()
    const rubric = { type: "text" as const, content: "r" }
    const { data } = await sessions().events.send(id, {
      events: [{ type: "user.define_outcome", description: "d", rubric }]
    })
    const kept = data![0] as { outcome_id: string; max_iterations: number; rubric: object }
    assert.match(kept.outcome_id, /^outc_/)
    assert.deepStrictEqual([kept.max_iterations, kept.rubric], [3, rubric])
    const [shown] = (await sessions().retrieve(id)).outcome_evaluations
    assert.deepInclude(shown, { outcome_id: kept.outcome_id, result: "pending", completed_at: null })
  })

  it("models are listed in the old style", async () => {
    const { body, status } = await world
      .fetch("/v1/models")
      .then(async (response) => ({ status: response.status, body: (await response.json()) as Record<string, unknown> }))
    assert.strictEqual(status, 200)
    assert.containsAllKeys(body, ["data", "has_more", "first_id", "last_id"])
    for await (const model of world.client.models.list()) assert.isString(model.id)
  })

  it("what the contract has and we have not is not there", async () => {
    for (const path of [
      "vaults",
      "memory_stores",
      "skills",
      "deployments",
      "deployment_runs",
      "dreams",
      "tunnels",
      "user_profiles",
      "workflows"
    ]) {
      const response = await world.fetch(`/v1/${path}`)
      const { error } = (await response.json()) as { error: { type: string } }
      assert.deepStrictEqual([response.status, error.type], [404, "not_found_error"], path)
    }
  })

  it("what some clients write as PUT and DELETE is taken too", async () => {
    const { id } = await world.client.beta.agents.create({ name: "n", model: "demo" })
    const ask = async (method: string, body?: object) => {
      const response = await world.fetch(`/v1/agents/${id}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
      })
      return (await response.json()) as { name: string; archived_at: string | null }
    }
    assert.strictEqual((await ask("PUT", { name: "m", version: 1 })).name, "m")
    assert.isString((await ask("DELETE")).archived_at)
    assert.strictEqual((await world.fetch(`/v1/agents/${id}/versions/1`)).status, 200)
    const environment = await world.client.beta.environments.create({ name: "before" })
    const put = await world.fetch(`/v1/environments/${environment.id}`, {
      method: "PUT",
      body: JSON.stringify({ name: "after" }),
      headers: { "content-type": "application/json" }
    })
    assert.strictEqual(put.status, 200)
    assert.strictEqual((await world.client.beta.environments.retrieve(environment.id)).name, "after")
  })
})
