import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { toUuid } from "@troupe/domain/Ids"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { plays, think } from "./gatewayWorld.ts"
import { type Body, eventsOf, type OwnWorld, startOwn } from "./ownWorld.ts"

describe("turns, over HTTP", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  const idsOf = (turns: ReadonlyArray<Body>) => turns.map(({ id }) => id)
  const textsOf = (turns: ReadonlyArray<Body>) => turns.map(({ content }) => content[0].text)
  const turnsOf = async (id: string, query = "") => (await world.get(`/v1/sessions/${id}/turns${query}`)).body
  const act = (id: string, turn: string, action: string, body: object = {}) =>
    world.post(`/v1/sessions/${id}/turns/${turn}${action}`, body)

  /** A session that works on its first message for a long time, with others behind it. */
  const busy = async (...texts: ReadonlyArray<string>) => {
    const id = await world.open()
    world.script(plays(think(1, 600_000)))
    await world.say(id, "first")
    await world.until(id, "running")
    for (const text of texts) await world.say(id, text)
    return { id, queue: (await turnsOf(id)).queues[0] }
  }
  const stop = async (id: string) => {
    await world.post(`/v1/sessions/${id}/pause`, {})
    await world.post(`/v1/sessions/${id}/events`, { events: [{ type: "user.interrupt" }] })
  }

  it("wait, run and are done", async () => {
    const { id, queue } = await busy("two", "three")
    const listed = await turnsOf(id)
    assert.deepStrictEqual(textsOf(queue.data), ["two", "three"])
    assert.deepStrictEqual([queue.data[0].status, queue.data[0].type], ["queued", "turn"])
    assert.deepStrictEqual([textsOf(listed.data), listed.data[0].status], [["first"], "running"])
    assert.strictEqual(queue.current, listed.data[0].id)
    await world.post(`/v1/sessions/${id}/events`, { events: [{ type: "user.interrupt" }] })
    await world.until(id, "idle")
    const done = await turnsOf(id)
    assert.deepStrictEqual(textsOf(done.data), ["three", "two", "first"])
    assert.deepStrictEqual(
      done.data.map(({ status }: Body) => status),
      ["completed", "completed", "interrupted"]
    )
    assert.deepStrictEqual([done.queues[0].data, done.queues[0].current], [[], null])
    assert.deepStrictEqual([done.data[0].stop_reason, typeof done.data[0].ended_at], ["end_turn", "string"])
    const first = await turnsOf(id, "?limit=2&order=asc")
    const rest = await turnsOf(id, `?limit=2&order=asc&page=${first.next_page}`)
    assert.deepStrictEqual(textsOf([...first.data, ...rest.data]), ["first", "two", "three"])
    assert.isNull(rest.next_page)
    assert.strictEqual((await world.get(`/v1/sessions/${id}/turns?page=${first.next_page}`)).status, 400)
  })

  it("are edited, moved and withdrawn while they wait", async () => {
    const { id, queue } = await busy("two", "three", "four")
    const [two, three, four] = idsOf(queue.data)
    const edited = await act(id, two, "", {
      queue_version: queue.version,
      content: [{ type: "text", text: "TWO" }],
      overrides: { model: "demo", metadata: { a: "1" } }
    })
    assert.strictEqual(edited.status, 200, JSON.stringify(edited.body))
    assert.strictEqual(edited.body.version, queue.version + 1)
    assert.deepStrictEqual(textsOf(edited.body.data), ["TWO", "three", "four"])
    assert.deepStrictEqual(edited.body.data[0].overrides, { model: "demo", metadata: { a: "1" } })
    const moved = await act(id, four, "/move", { before: two })
    assert.deepStrictEqual(idsOf(moved.body.data), [four, two, three])
    const last = await act(id, four, "/move", { before: null, queue_version: moved.body.version })
    assert.deepStrictEqual(idsOf(last.body.data), [two, three, four])
    const withdrawn = await act(id, three, "/withdraw")
    assert.deepStrictEqual(idsOf(withdrawn.body.data), [two, four])
    assert.strictEqual((await act(id, three, "/withdraw")).status, 404)
    await stop(id)
  })

  it("are changed by who saw the queue as it is, and nobody else", async () => {
    const { id, queue } = await busy("two", "three")
    const [two, three] = idsOf(queue.data)
    const { body } = await act(id, two, "/move", { before: null, queue_version: queue.version })
    for (const [action, more] of [
      ["", { overrides: {} }],
      ["/move", { before: two }],
      ["/withdraw", {}]
    ] as const) {
      const stale = await act(id, three, action, { ...more, queue_version: queue.version })
      assert.strictEqual(stale.status, 409)
      assert.deepStrictEqual(stale.body.error.details, { queue_version: body.version })
    }
    assert.deepStrictEqual(idsOf((await turnsOf(id)).queues[0].data), [three, two])
    await stop(id)
  })

  it("join the turn that runs", async () => {
    const { id, queue } = await busy("two", "three")
    const steered = await act(id, idsOf(queue.data)[1], "/steer", { queue_version: queue.version })
    assert.deepStrictEqual(textsOf(steered.body.data), ["two"])
    assert.include(
      (await world.log(id)).map(({ type }) => type),
      "SteerQueued"
    )
    await stop(id)
    const paused = await world.open()
    await world.post(`/v1/sessions/${paused}/pause`, {})
    await world.say(paused, "one")
    const [one] = (await turnsOf(paused)).queues[0].data
    const nothing = await act(paused, one.id, "/steer")
    assert.deepStrictEqual([nothing.status, nothing.body.error.type], [400, "invalid_request_error"])
  })

  it("are tried again once they failed", async () => {
    const id = await world.open()
    world.script({ ...plays(), end: { _tag: "Fail", retryable: false, retryAfterMs: null } })
    await world.say(id, "one")
    await world.until(id, "idle")
    const [failed] = (await turnsOf(id)).data
    assert.deepStrictEqual([failed.status, typeof failed.error.code], ["failed", "string"])
    const retried = await act(id, failed.id, "/retry")
    assert.strictEqual(retried.status, 200, JSON.stringify(retried.body))
    await world.until(id, "idle")
    const [again] = (await turnsOf(id)).data
    assert.strictEqual(again.status, "completed")
    assert.deepStrictEqual([again.id, again.error], [failed.id, null])
    assert.strictEqual((await act(id, failed.id, "/retry")).status, 400)
  })

  it("refuse what makes no sense", async () => {
    const { id, queue } = await busy("two")
    const [two] = idsOf(queue.data)
    const running = queue.current
    const bad: ReadonlyArray<readonly [number, string, string, unknown]> = [
      [400, two, "", {}],
      [400, two, "", { content: [] }],
      [400, two, "", { content: [{ type: "nonsense" }] }],
      [400, two, "", { content: "text" }],
      [400, two, "", { overrides: { nonsense: 1 } }],
      [400, two, "", { queue_version: "1" }],
      [400, two, "/move", {}],
      [400, two, "/move", { before: two }],
      [409, two, "/move", { before: running }],
      [409, running, "/withdraw", {}],
      [400, "turn_nonsense", "/withdraw", {}],
      [404, `turn_01${"1".repeat(22)}`, "/withdraw", {}]
    ]
    for (const [status, turn, action, body] of bad) {
      const refused = await world.post(`/v1/sessions/${id}/turns/${turn}${action}`, body)
      assert.strictEqual(refused.status, status, `${action} ${JSON.stringify(body)} ${JSON.stringify(refused.body)}`)
      assert.strictEqual(refused.body.type, "error")
    }
    assert.deepStrictEqual((await turnsOf(id)).queues[0], queue)
    await stop(id)
  })

  it("are changed by an end user's token in what they say, and not in what they run with", async () => {
    const { id, queue } = await busy("two")
    const [two] = idsOf(queue.data)
    const wanted = { kind: "end_user", subject: "ann", session_ids: [id], scopes: ["write"] }
    const { secret } = (await world.post("/v1/tokens", wanted)).body
    const as = { "x-api-key": secret }
    const path = `/v1/sessions/${id}/turns/${two}`
    const said = await world.post(path, { content: [{ type: "text", text: "2" }] }, as)
    const ran = await world.post(path, { overrides: { permission_preset: "all" } }, as)
    const forked = await world.post(`/v1/sessions/${id}/fork`, {}, as)
    assert.deepStrictEqual([said.status, ran.status, forked.status], [200, 403, 403])
    assert.strictEqual((await world.get("/v1/approvals", secret)).status, 403)
    await stop(id)
  })

  it("run with what their message asks for, wherever that was said", async () => {
    const overrides = { model: "demo", effort: "high" }
    const message = { type: "user.message", content: [{ type: "text", text: "hard" }], troupe: { overrides } }
    const { id } = await busy()
    const sent = await world.post(`/v1/sessions/${id}/events`, { events: [message] })
    assert.strictEqual(sent.status, 200, JSON.stringify(sent.body))
    assert.deepStrictEqual((await turnsOf(id)).queues[0].data[0].overrides, overrides)
    await stop(id)
    const begun = await world.open({ initial_events: [message] })
    await world.until(begun, "idle")
    const said = await world.fetch(`/v1/sessions/${begun}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ content: "hard", troupe: { overrides } })
    })
    assert.match(await said.text(), /session.status_idle/)
    const all = (await turnsOf(begun)).data.map((turn: Body) => turn.overrides)
    assert.deepStrictEqual(all, [overrides, overrides])
    const wrong = { ...message, troupe: { overrides: { nonsense: 1 } } }
    const refused = await world.post(`/v1/sessions/${begun}/events`, { events: [wrong] })
    assert.strictEqual(refused.status, 400)
    assert.match(refused.body.error.message, /troupe.overrides/)
    const wanted = { kind: "end_user", subject: "ann", session_ids: [begun], scopes: ["write"] }
    const { body: token } = await world.post("/v1/tokens", wanted)
    const as = { "x-api-key": token.secret }
    const theirs = await world.post(`/v1/sessions/${begun}/events`, { events: [message] }, as)
    assert.strictEqual(theirs.status, 403)
    const plain = { ...message, troupe: {} }
    assert.strictEqual((await world.post(`/v1/sessions/${begun}/events`, { events: [plain] }, as)).status, 200)
  })

  it("are edited once, however often the request is sent", async () => {
    const { id, queue } = await busy("two")
    const [two] = idsOf(queue.data)
    const path = `/v1/sessions/${id}/turns/${two}`
    const body = { queue_version: queue.version, overrides: { model: "demo" } }
    const first = await world.post(path, body, { "idempotency-key": `edit ${id}`.replaceAll(" ", "-") })
    const second = await world.post(path, body, { "idempotency-key": `edit ${id}`.replaceAll(" ", "-") })
    assert.deepStrictEqual([first.status, second], [200, first])
    await stop(id)
  })

  const epochOf = (id: string) =>
    world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql<{ readonly epoch: number }>`SELECT epoch FROM heads WHERE stream_id = ${toUuid(id)!}`
        return row!.epoch
      })
    )

  it("are looked at without waking a session that rests, and so are its events", async () => {
    const id = await world.asleep()
    const listed = await turnsOf(id)
    assert.deepStrictEqual([listed.queues.length, listed.data], [1, []])
    for (const path of ["events", "questions", "approvals", "state", "verify?level=1", "why/1", "output", "log"]) {
      const { body, status } = await world.get(`/v1/sessions/${id}/${path}`)
      assert.strictEqual(status, 200, `${path} ${JSON.stringify(body)}`)
    }
    assert.strictEqual(await epochOf(id), 1)
    // Whoever loads it takes an epoch: so it is seen that nobody had.
    await world.say(id, "one")
    assert.strictEqual(await epochOf(id), 2)
  })

  it("tell what comes of some kinds only, with parts of messages for who asks", async () => {
    const id = await world.open()
    world.script(plays(think(3, 300)))
    const only = await world.fetch(`/v1/sessions/${id}/log/stream?types[]=MessageBlock&deltas=true`)
    const seen: Array<{ readonly event: string; readonly data: Body }> = []
    await world.say(id, "hello")
    for await (const one of eventsOf(only)) {
      seen.push(one)
      if (one.event === "MessageBlock") break
    }
    const block = seen.at(-1)!.data.payload
    const deltas = seen.slice(0, -1)
    assert.isNotEmpty(deltas)
    assert.isTrue(deltas.every(({ data, event }) => event === "delta" && data.event_id === block.blockId))
    assert.isTrue(block.content[0].text.startsWith(deltas.map(({ data }) => data.text).join("")))
    await world.until(id, "idle")
    const page = await world.get(`/v1/sessions/${id}/log?types[]=TurnStarted&types[]=TurnCompleted`)
    assert.deepStrictEqual(
      page.body.data.map(({ type }: Body) => type),
      ["TurnStarted", "TurnCompleted"]
    )
    assert.isNull(page.body.next_after)
    const first = await world.get(`/v1/sessions/${id}/log?types[]=TurnStarted&types[]=TurnCompleted&limit=1`)
    const rest = await world.get(`/v1/sessions/${id}/log?types[]=TurnCompleted&after=${first.body.next_after}`)
    assert.strictEqual(rest.body.data[0].type, "TurnCompleted")
  })

  it("are nobody's of another workspace", async () => {
    const { id } = await busy("two")
    const stranger = await world.stranger()
    for (const path of [
      "turns",
      "state",
      "diff?from=0",
      "why/1",
      "verify",
      "export",
      "output",
      "questions",
      "approvals"
    ]) {
      const refused = await world.get(`/v1/sessions/${id}/${path}`, stranger)
      const unknown = await world.get(`/v1/sessions/sesn_01${"1".repeat(22)}/${path}`)
      assert.deepStrictEqual([refused.status, unknown.status], [404, 404], path)
      assert.strictEqual(
        refused.body.error.message.replace(id, ""),
        unknown.body.error.message.replace(`sesn_01${"1".repeat(22)}`, "")
      )
    }
    await stop(id)
  })
})
