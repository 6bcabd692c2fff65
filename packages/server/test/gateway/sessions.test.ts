import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type Anthropic from "@anthropic-ai/sdk"
import { Session } from "@troupe/domain/api/Sessions"
import { Schema } from "effect"
import { sdks } from "../support/anthropic.ts"
import { type GatewayWorld, plays, startGateway, think, tool } from "./gatewayWorld.ts"

type StreamEvent = Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents

describe.each(sdks)("sessions, through the Anthropic SDK %s", { timeout: 120_000 }, (_, Sdk) => {
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

  /** Streams from now on until an event that is the last one wanted. */
  const following = async (id: string, last: (event: StreamEvent) => boolean, query: object = {}) => {
    const stream = await sessions().events.stream(id, query)
    const seen = (async () => {
      const events: Array<StreamEvent> = []
      for await (const event of stream) {
        events.push(event)
        if (last(event)) break
      }
      return events
    })()
    return { seen }
  }
  const isIdle = (event: StreamEvent) => event.type === "session.status_idle"
  const list = async (id: string, query: object = {}) => {
    const events: Array<Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent> = []
    for await (const event of sessions().events.list(id, query)) events.push(event)
    return events
  }
  const typesOf = (events: ReadonlyArray<{ readonly type: string }>) => events.map(({ type }) => type)
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: { status: number; error: { error: { type: string; message: string } } }) =>
        [error.status, error.error.error.message] as const
    )
  const untilIdle = async (id: string, ...events: ReadonlyArray<object>) => {
    const { seen } = await following(id, isIdle)
    await sessions().events.send(id, { events: events as never })
    return await seen
  }

  it("open with a snapshot of their agent, in the usual environment", async () => {
    const session = await open({ title: "t", metadata: { a: "1" } })
    Schema.decodeUnknownSync(Session)(JSON.parse(JSON.stringify(session)))
    assert.deepStrictEqual([session.status, session.title, session.metadata], ["idle", "t", { a: "1" }])
    assert.deepStrictEqual([session.agent.id, session.agent.version, session.agent.system], [agentId, 1, "help"])
    const environment = await world.client.beta.environments.retrieve(session.environment_id)
    assert.strictEqual(environment.name, "default")
    assert.strictEqual((await open()).environment_id, session.environment_id)
    await world.client.beta.agents.update(agentId, { system: "help more" })
    assert.strictEqual((await sessions().retrieve(session.id)).agent.system, "help")
    assert.strictEqual((await open({ agent: { type: "agent", id: agentId, version: 1 } })).agent.system, "help")
  })

  it("are opened with what becomes of them by themselves", async () => {
    const opened = async (lifecycle: object) =>
      Schema.decodeUnknownSync(Session)(JSON.parse(JSON.stringify(await open({ troupe: { lifecycle } })))).troupe
        .lifecycle
    assert.deepStrictEqual(await opened({}), { on_idle: "retain", keep_failed: true, ttl_seconds: null })
    const all = { on_idle: "delete", keep_failed: false, ttl_seconds: 90 } as const
    assert.deepStrictEqual(await opened(all), all)
    for (const wrong of [{ on_idle: "die" }, { ttl_seconds: 0 }, { ttl_seconds: 1.5 }, { keep_failed: 1 }]) {
      const [status, message] = await refused(opened(wrong))
      assert.strictEqual(status, 400)
      assert.match(message, /^troupe\.lifecycle\./)
    }
  })

  it("take a message and tell the turn in the order of the log", async () => {
    const { id } = await open()
    world.script(plays(think(), tool("read"), think()))
    const { seen } = await following(id, isIdle)
    const sent = await sessions().events.send(id, { events: [say("hello")] })
    const events = await seen
    const shown = typesOf(events).filter((type) => type !== "agent.thinking")
    assert.deepStrictEqual(shown, [
      "user.message",
      "session.status_running",
      "session.thread_status_running",
      "span.model_request_start",
      "agent.message",
      "span.model_request_end",
      "agent.tool_use",
      "agent.tool_result",
      "span.model_request_start",
      "agent.message",
      "span.model_request_end",
      "session.thread_status_idle",
      "session.usage",
      "session.status_idle"
    ])
    assert.strictEqual(events[0]!.type === "user.message" ? events[0].id : "", sent.data![0]!.id)
    const listed = await list(id)
    assert.deepStrictEqual(listed as unknown, events as unknown)
    assert.deepStrictEqual(await list(id, { order: "desc", limit: 3 }), listed.toReversed())
    assert.deepStrictEqual(await list(id, { limit: 2 }), listed)
    const messages = await list(id, { types: ["agent.message"], limit: 1 })
    assert.deepStrictEqual(typesOf(messages), ["agent.message", "agent.message"])
    const at = (messages[1] as { processed_at: string }).processed_at
    assert.deepStrictEqual((await list(id, { "created_at[gte]": at }))[0], messages[1])
    const { usage } = await sessions().retrieve(id)
    assert.deepStrictEqual([usage.input_tokens, usage.output_tokens], [20, 10])
  })

  it("show the parts of a message before it is whole, to those who ask", async () => {
    const { id } = await open()
    world.script(plays(think(3, 400)))
    const { seen } = await following(id, isIdle, { event_deltas: ["agent.message"] })
    await sessions().events.send(id, { events: [say("hello")] })
    const events = await seen
    const start = events.find((event) => event.type === "event_start")
    const message = events.find((event) => event.type === "agent.message")
    assert.isDefined(start)
    const deltas = events.flatMap((event) => (event.type === "event_delta" ? [event] : []))
    const text = deltas.map(({ delta }) => (delta as { content: { text: string } }).content.text).join("")
    assert.isAbove(text.length, 0)
    if (message?.type !== "agent.message" || start?.type !== "event_start") return assert.fail("no message")
    assert.isTrue((message.content[0] as { text: string }).text.startsWith(text))
    assert.deepStrictEqual(
      [start.event.id, ...deltas.map((delta) => delta.event_id)].every((it) => it === message.id),
      true
    )
  })

  it("show that thinking has begun, and nothing of it, to those who ask", async () => {
    const { id } = await open()
    world.script(plays({ _tag: "Think", ms: 400, deltas: 1, tokens: 10, thinks: true }))
    const both = await following(id, isIdle, { event_deltas: ["agent.message", "agent.thinking"] })
    const messages = await following(id, isIdle, { event_deltas: ["agent.message"] })
    await sessions().events.send(id, { events: [say("hello")] })
    const events = await both.seen
    const started = (seen: typeof events) =>
      seen.flatMap((event) => (event.type === "event_start" ? [[event.event.type, event.event.id]] : []))
    const ended = (type: string) => events.flatMap((event) => (event.type === type && "id" in event ? [event.id] : []))
    const [thought] = ended("agent.thinking")
    const [message] = ended("agent.message")
    assert.deepStrictEqual(started(events), [
      ["agent.thinking", thought!],
      ["agent.message", message!]
    ])
    assert.deepStrictEqual(started(await messages.seen), [["agent.message", message!]])
    const pieces = events.flatMap((event) => (event.type === "event_delta" ? [event.event_id] : []))
    assert.deepStrictEqual(pieces, [message])
  })

  it("wait for confirmations, and go on with them", async () => {
    const { id } = await open()
    world.script(plays(tool("ask"), tool("ask")), plays(think()))
    const asked = await untilIdle(id, say("do it"))
    const uses = asked.flatMap((event) => (event.type === "agent.tool_use" ? [event] : []))
    assert.deepStrictEqual(
      uses.map((use) => use.evaluated_permission),
      ["ask", "ask"]
    )
    const idle = asked.at(-1)
    if (idle?.type !== "session.status_idle" || idle.stop_reason?.type !== "requires_action") {
      return assert.fail("it does not wait")
    }
    const [one, two] = uses.map((use) => use.id)
    assert.deepStrictEqual(idle.stop_reason.event_ids, [one, two])
    const partly = await untilIdle(id, { type: "user.tool_confirmation", tool_use_id: one, result: "allow" })
    const rest = partly.at(-1)
    assert.deepStrictEqual(rest?.type === "session.status_idle" ? rest.stop_reason : null, {
      type: "requires_action",
      event_ids: [two!]
    })
    const done = await untilIdle(id, {
      type: "user.tool_confirmation",
      tool_use_id: two,
      result: "deny",
      deny_message: "not now"
    })
    const results = done.flatMap((event) => (event.type === "agent.tool_result" ? [event] : []))
    const denied = results.find((result) => result.tool_use_id === two)
    assert.deepStrictEqual([denied?.is_error, denied?.content], [true, [{ type: "text", text: "not now" }]])
    assert.strictEqual(results.find((result) => result.tool_use_id === one)?.is_error, false)
    const again = sessions().events.send(id, {
      events: [{ type: "user.tool_confirmation", tool_use_id: one!, result: "allow" }]
    })
    assert.strictEqual((await refused(again))[0], 400)
  })

  it("take the results of tools that clients run", async () => {
    const { id } = await open()
    world.script(plays(tool("client")), plays(think()))
    const asked = await untilIdle(id, say("look it up"))
    const use = asked.find((event) => event.type === "agent.custom_tool_use")
    if (use?.type !== "agent.custom_tool_use") return assert.fail("no tool use")
    const wrong = { type: "user.tool_result" as const, tool_use_id: use.id }
    assert.strictEqual((await refused(sessions().events.send(id, { events: [wrong] })))[0], 400)
    const content = [{ type: "text", text: "42" }]
    const done = await untilIdle(id, { type: "user.custom_tool_result", custom_tool_use_id: use.id, content })
    assert.include(typesOf(done), "user.custom_tool_result")
    const idle = done.at(-1)
    assert.strictEqual(idle?.type === "session.status_idle" ? idle.stop_reason?.type : "", "end_turn")
  })

  it("queue messages, and are interrupted", async () => {
    const { id } = await open()
    world.script(plays(think(1, 60_000)), plays(think()))
    const { seen } = await following(id, isIdle)
    await sessions().events.send(id, { events: [say("one")] })
    const second = await sessions().events.send(id, { events: [say("two")] })
    assert.isNull((second.data![0] as { processed_at: string | null }).processed_at)
    const waiting = await list(id)
    assert.deepStrictEqual(waiting.at(-1), second.data![0] as never)
    assert.deepStrictEqual((await list(id, { order: "desc", limit: 1 }))[0], waiting.at(-1))
    assert.strictEqual((await sessions().retrieve(id)).status, "running")
    assert.match((await refused(sessions().archive(id)))[1], /cannot be archived while its status is "running"/)
    assert.match((await refused(sessions().delete(id)))[1], /^Cannot delete session while it is running/)
    await sessions().events.send(id, { events: [{ type: "user.interrupt" }] })
    const events = await seen
    assert.include(typesOf(events), "user.interrupt")
    assert.strictEqual(events.filter(({ type }) => type === "user.message").length, 2)
  })

  it("list a log that is heavier than the database is asked for at once", async () => {
    const heavy = "a".repeat(900_000)
    const { id } = await open()
    for (let n = 0; n < 6; n++) await untilIdle(id, say(`${n}${heavy}`))
    const types = { types: ["user.message"] }
    for (const order of ["asc", "desc"] as const) {
      const heads = (await list(id, { ...types, order })).map((event) =>
        event.type === "user.message" && event.content[0]?.type === "text" ? event.content[0].text[0] : event.type
      )
      const all = ["0", "1", "2", "3", "4", "5"]
      assert.deepStrictEqual(heads, order === "asc" ? all : all.toReversed())
    }
  })

  it("begin with messages, all of them or none", async () => {
    const running = await open({ initial_events: [say("go")] })
    assert.strictEqual(running.status, "running")
    const [status, message] = await refused(open({ initial_events: [say("go"), { type: "user.interrupt" }] }))
    assert.deepStrictEqual([status, /initial_events\.1/.test(message)], [400, true])
  })

  it("are updated, and say what changed", async () => {
    const { id } = await open({ title: "a", metadata: { a: "1", b: "2" }, budget: limit("500") })
    const { seen } = await following(id, (event) => event.type === "session.updated" && "agent" in event)
    const renamed = await sessions().update(id, { title: "b", metadata: { a: null } })
    assert.deepStrictEqual([renamed.title, renamed.metadata], ["b", { b: "2" }])
    assert.deepStrictEqual((await sessions().update(id, { budget: limit("900") })).budget, limit("900"))
    const tools = [{ type: "custom" as const, name: "t", description: "d", input_schema: { type: "object" as const } }]
    const { agent } = await sessions().update(id, { agent: { tools } })
    assert.deepStrictEqual(agent.tools as unknown, tools)
    const changes = (await seen).map((event) => {
      const { id: _, processed_at: __, ...told } = event as unknown as Record<string, unknown>
      return told
    })
    assert.deepStrictEqual<ReadonlyArray<object>>(changes, [
      { type: "session.updated", title: "b", metadata: { b: "2" } },
      { type: "session.updated", budget: limit("900") },
      { type: "session.updated", agent }
    ])
    assert.deepStrictEqual((await sessions().retrieve(id)).agent, agent)
  })

  const limit = (amount: string) => ({ type: "limit" as const, max_list_cost: { amount, currency: "USD" as const } })

  it("are bounded in what they use in every way, beside their budget", async () => {
    const soft = { metric: "model_requests", max: 1, enforcement: "soft", scope: "session" } as const
    const hard = { metric: "tokens", max: 1_000, enforcement: "hard", scope: "turn" } as const
    const bounded = (...limits: ReadonlyArray<object>) => ({ troupe: { limits } })
    const change = (id: string, update: object) => sessions().update(id, update as never)
    const boundsOf = async (id: string) => {
      const { budget, troupe } = (await sessions().retrieve(id)) as unknown as Session
      return { budget, limits: troupe.limits }
    }
    const { id } = await open({ budget: limit("500"), ...bounded(soft, hard) })
    assert.deepStrictEqual(await boundsOf(id), { budget: limit("500"), limits: [soft, hard] })

    await untilIdle(id, say("hello"))
    const held = await untilIdle(id, say("again"))
    assert.deepInclude(held.at(-1), { stop_reason: { type: "budget_reached" } })
    const { seen } = await following(id, isIdle)
    assert.strictEqual((await world.fetch(`/v1/sessions/${id}/resume`, { method: "POST" })).status, 200)
    assert.deepInclude((await seen).at(-1), { stop_reason: { type: "end_turn" } })

    await change(id, { budget: limit("600") })
    assert.deepStrictEqual(await boundsOf(id), { budget: limit("600"), limits: [soft, hard] })
    assert.match((await refused(change(id, bounded({ ...soft, max: 2 }))))[1], /not above what was used/)
    await change(id, bounded(hard))
    assert.deepStrictEqual(await boundsOf(id), { budget: limit("600"), limits: [hard] })
    await change(id, { budget: null, ...bounded() })
    assert.deepStrictEqual(await boundsOf(id), { budget: null, limits: [] })
    assert.match((await refused(change(id, bounded(hard))))[1], /only be given when a session is created/)

    const cost = { metric: "cost_micro_usd", max: 1, enforcement: "hard", scope: "session" }
    assert.match((await refused(open(bounded(cost))))[1], /limits.*its `budget`/)
    assert.strictEqual((await refused(open(bounded({ ...soft, max: 0 }))))[0], 400)
    const unpaid = await open(bounded(hard))
    assert.match(
      (await refused(change(unpaid.id, { budget: limit("1") })))[1],
      /only be given when a session is created/
    )
  })

  it("are archived and deleted, and their streams end", async () => {
    const { id } = await open()
    const { seen } = await following(id, () => false)
    const archived = await sessions().archive(id)
    assert.deepStrictEqual([archived.status, typeof archived.archived_at], ["terminated", "string"])
    assert.strictEqual((await refused(sessions().events.send(id, { events: [say("x")] })))[0], 400)
    assert.include(typesOf(await list(id)), "session.status_terminated")
    assert.deepStrictEqual(await sessions().delete(id), { id, type: "session_deleted" } as never)
    assert.include(typesOf(await seen), "session.deleted")
    assert.strictEqual((await refused(sessions().retrieve(id)))[0], 404)
    assert.strictEqual((await refused(sessions().events.list(id)))[0], 404)
  })

  it("are listed by what they are, in pages of an order", async () => {
    const { id: mine } = await world.client.beta.agents.create({ name: "lister", model: "demo" })
    const made = []
    for (let n = 0; n < 5; n++) made.push((await open({ agent: mine })).id)
    const ids = async (query: object) => {
      const found: Array<string> = []
      for await (const session of sessions().list({ agent_id: mine, limit: 2, ...query })) found.push(session.id)
      return found
    }
    assert.deepStrictEqual(await ids({ order: "asc" }), made)
    assert.deepStrictEqual(await ids({}), made.toReversed())
    assert.deepStrictEqual(await ids({ statuses: ["running"] }), [])
    const { created_at: at } = await sessions().retrieve(made[2]!)
    const times = await Promise.all(made.map(async (id) => (await sessions().retrieve(id)).created_at))
    for (const [bound, holds] of [
      ["gt", (time: string) => time > at],
      ["gte", (time: string) => time >= at],
      ["lt", (time: string) => time < at],
      ["lte", (time: string) => time <= at]
    ] as const) {
      const wanted = made.filter((_, n) => holds(times[n]!))
      assert.deepStrictEqual(await ids({ order: "asc", [`created_at[${bound}]`]: at }), wanted, bound)
    }
    assert.lengthOf(await ids({ agent_version: 1 }), 5)
    for (const none of [{ agent_version: 2 }, { deployment_id: "depl_x" }, { memory_store_id: "memstore_x" }]) {
      assert.isEmpty(await ids(none))
    }
    const first = await sessions().list({ agent_id: mine, limit: 2 })
    const second = await sessions().list({ agent_id: mine, limit: 2, page: first.next_page! })
    const back = await sessions().list({ agent_id: mine, limit: 2, page: second.prev_page! })
    const idsOf = (page: typeof first) => page.data.map(({ id }) => id)
    assert.deepStrictEqual(idsOf(back), idsOf(first))
    assert.isNull(back.prev_page)
    const other = sessions().list({ agent_id: mine, order: "asc", page: first.next_page! })
    assert.deepStrictEqual(await refused(other), [400, "page token order does not match request"])
    await sessions().archive(made[0]!)
    assert.strictEqual((await ids({})).length, 4)
    assert.strictEqual((await ids({ include_archived: true })).length, 5)
  })

  it("have one thread, and a log of our own that resumes", async () => {
    const { id } = await open()
    await untilIdle(id, say("hello"))
    const threads = await sessions().threads.list(id)
    assert.deepStrictEqual([threads.data.length, threads.data[0]!.parent_thread_id], [1, null])
    const page = (await (await world.fetch(`/v1/sessions/${id}/log?limit=3`)).json()) as {
      data: ReadonlyArray<{ seq: number; type: string }>
      next_after: number
    }
    assert.deepStrictEqual(
      page.data.map(({ seq }) => seq),
      [1, 2, 3]
    )
    assert.strictEqual(page.next_after, 3)
    const response = await world.fetch(`/v1/sessions/${id}/log/stream`, { headers: { "last-event-id": "2" } })
    const reader = response.body!.getReader()
    const text = new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    assert.match(text, /^id: 3\nevent: \w+\ndata: \{"seq":3,/)
  })
})
