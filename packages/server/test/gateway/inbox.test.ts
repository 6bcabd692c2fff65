import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { canonical } from "@troupe/domain/CanonicalJson"
import { toUuid } from "@troupe/domain/Ids"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { setTimeout } from "node:timers/promises"
import { sha256 } from "../support/LogWriter.ts"
import { plays, think, tool } from "./gatewayWorld.ts"
import { type Answered, type Body, type OwnWorld, startOwn } from "./ownWorld.ts"

describe("what people are asked, over HTTP", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  /** A session that waits for answers to these calls. */
  const asking = async (...kinds: ReadonlyArray<Parameters<typeof tool>[0]>) => {
    const id = await world.open({ title: `asks ${kinds.join(" and ")}` })
    world.script(plays(...kinds.map(tool)), plays(think()))
    await world.say(id, "go")
    await world.until(id, "idle")
    return id
  }
  const listed = async (path: string): Promise<ReadonlyArray<Body>> => (await world.get(path)).body.data
  /** The inbox across sessions follows the log a moment later. */
  const eventually = async (path: string, is: (found: ReadonlyArray<Body>) => boolean) => {
    for (;;) {
      const found = await listed(path)
      if (is(found)) return found
      await setTimeout(20)
    }
  }
  const several = (count: number) => (found: ReadonlyArray<Body>) => found.length === count
  const outcomes = async (id: string) =>
    (await world.log(id)).filter(({ type }) => type === "ToolFinished").map(({ payload }) => payload.outcome)

  it("is listed for a session as soon as it waits", async () => {
    const id = await asking("ask", "question", "client")
    const [approval, ...more] = await listed(`/v1/sessions/${id}/approvals`)
    assert.isEmpty(more)
    const [question] = await listed(`/v1/sessions/${id}/questions`)
    const requested = (await world.log(id)).filter(({ type }) => type === "ToolRequested")
    assert.deepStrictEqual(
      [approval.type, approval.id, approval.session_id, approval.input, approval.input_digest],
      ["approval", requested[0]!.payload.callId, id, requested[0]!.payload.input, requested[0]!.payload.inputDigest]
    )
    assert.deepStrictEqual(
      [question.type, question.id, question.question],
      ["question", requested[1]!.payload.callId, requested[1]!.payload.question]
    )
    await eventually(`/v1/approvals?session_id=${id}`, several(1))
    assert.deepStrictEqual(await listed(`/v1/approvals?session_id=${id}`), [approval])
    assert.deepStrictEqual(await eventually(`/v1/questions?session_id=${id}`, several(1)), [question])
    await world.post(`/v1/sessions/${id}/events`, { events: [{ type: "user.interrupt" }] })
    await eventually(`/v1/approvals?session_id=${id}`, several(0))
    assert.deepStrictEqual(await listed(`/v1/sessions/${id}/approvals`), [])
  })

  it("is allowed once, for the session, and denied with a reason", async () => {
    const id = await asking("ask", "ask")
    const [one, two] = await eventually(`/v1/approvals?session_id=${id}`, several(2))
    const page = async (path: string) => (await world.get(`/v1/sessions/${id}/approvals?limit=1${path}`)).body
    const [first, last] = [await page(""), await page("&order=desc")]
    assert.deepStrictEqual([first.data, last.data], [[one], [two]])
    const allowed = await world.post(`/v1/approvals/${one.id}`, { result: "allow", input_digest: one.input_digest })
    // Behind what is answered by now is what was behind it before.
    assert.deepStrictEqual((await page(`&page=${first.next_page}`)).data, [two])
    assert.deepStrictEqual((await page(`&order=desc&page=${last.next_page}`)).data, [])
    assert.deepStrictEqual(
      [allowed.status, allowed.body.type, allowed.body.session_id],
      [200, "approval_answered", id],
      JSON.stringify(allowed.body)
    )
    const denied = await world.post(`/v1/sessions/${id}/approvals/${two.id}`, { result: "deny", message: "not now" })
    assert.strictEqual(denied.status, 200)
    await world.until(id, "idle")
    const decisions = (await world.log(id)).filter(({ type }) => type === "ToolConfirmed")
    assert.deepStrictEqual(
      decisions.map(({ payload }) => [payload.callId, payload.decision, payload.inputId]),
      [
        [one.id, { type: "allow_once" }, allowed.body.event_id],
        [two.id, { type: "deny", message: "not now" }, denied.body.event_id]
      ]
    )
    assert.sameMembers(await outcomes(id), ["succeeded", "denied"])
    await eventually(`/v1/approvals?session_id=${id}`, several(0))
    const again = await world.post(`/v1/approvals/${one.id}`, { result: "allow" })
    assert.strictEqual(again.status, 404)
    const third = await asking("ask")
    const [asked] = await listed(`/v1/sessions/${third}/approvals`)
    await world.post(`/v1/sessions/${third}/approvals/${asked.id}`, { result: "allow", scope: "session" })
    await world.until(third, "idle")
    assert.isNotEmpty((await world.get(`/v1/sessions/${third}/state`)).body.state.grants)
  })

  it("is allowed with other arguments, which are what was approved", async () => {
    const id = await asking("ask")
    const [asked] = await listed(`/v1/sessions/${id}/approvals`)
    const path = `/v1/sessions/${id}/approvals/${asked.id}`
    const input = { path: "/elsewhere", n: 1 }
    const digest = sha256(canonical(input))
    const mine = await world.post(path, { result: "allow", input_digest: "1".repeat(64) })
    const edited = await world.post(path, { result: "allow", input, input_digest: asked.input_digest })
    assert.deepStrictEqual([mine.status, edited.status], [409, 409])
    assert.strictEqual((await world.post(path, { result: "allow", input, input_digest: digest })).status, 200)
    await world.until(id, "idle")
    const { payload } = (await world.log(id)).find(({ type }) => type === "ToolConfirmed")!
    assert.deepStrictEqual(payload.decision, { type: "allow_edited", input, inputDigest: digest })
  })

  it("is answered, with an answer that is one", async () => {
    const id = await asking("question")
    const [{ id: call }] = (await eventually(`/v1/questions?session_id=${id}`, several(1))) as [Body]
    assert.strictEqual((await world.post(`/v1/questions/${call}`, { answer: "x".repeat(40_000) })).status, 400)
    assert.strictEqual((await world.post(`/v1/approvals/${call}`, { result: "allow" })).status, 404)
    assert.strictEqual((await world.post(`/v1/sessions/${id}/approvals/${call}`, { result: "allow" })).status, 400)
    const keyed = () => world.post(`/v1/questions/${call}`, { answer: "yes" }, { "idempotency-key": `answer-${call}` })
    const [first, second] = [await keyed(), await keyed()]
    assert.deepStrictEqual([first.status, first.body.type], [200, "question_answered"], JSON.stringify(first.body))
    assert.deepStrictEqual(second, first)
    await world.until(id, "idle")
    const answers = (await world.log(id)).filter(({ type }) => type === "QuestionAnswered")
    assert.deepStrictEqual(
      answers.map(({ payload }) => payload.answer),
      ["yes"]
    )
  })

  it("is listed across sessions in pages, the longest waiting first", async () => {
    const before = await listed("/v1/approvals?limit=100")
    const ids = [await asking("ask"), await asking("ask", "ask")]
    const all = await eventually("/v1/approvals?limit=100", several(before.length + 3))
    assert.deepStrictEqual(
      all.slice(-3).map(({ session_id }) => session_id),
      [ids[0], ids[1], ids[1]]
    )
    const paged: Array<Body> = []
    for (let page: string | null = ""; page !== null;) {
      const { body } = (await world.get(`/v1/approvals?limit=2${page === "" ? "" : `&page=${page}`}`)) as Answered
      paged.push(...body.data)
      page = body.next_page
    }
    assert.deepStrictEqual(paged, all)
    assert.deepStrictEqual(await listed("/v1/approvals?limit=100&order=desc"), all.toReversed())
    const tools = await listed(`/v1/approvals?tool=${all.at(-1).tool}&agent_id=${world.agentId}&limit=100`)
    assert.isNotEmpty(tools)
    assert.deepStrictEqual(await listed("/v1/approvals?tool=nothing"), [])
    const cursor = (await world.get("/v1/approvals?limit=1")).body.next_page
    assert.strictEqual((await world.get(`/v1/approvals?limit=1&order=desc&page=${cursor}`)).status, 400)
    assert.strictEqual((await world.get(`/v1/questions?page=${cursor}`)).status, 400)
  })

  it("is nobody's of another workspace, and takes the scope that it needs", async () => {
    const id = await asking("ask")
    const [asked] = await eventually(`/v1/approvals?session_id=${id}`, several(1))
    const stranger = await world.stranger()
    assert.deepStrictEqual((await world.get("/v1/approvals", stranger)).body.data, [])
    const { body: key } = await world.post("/v1/tokens", { kind: "api_key", name: "writer", scopes: ["write"] })
    for (const path of [`/v1/approvals/${asked.id}`, `/v1/sessions/${id}/approvals/${asked.id}`]) {
      const theirs = await world.post(path, { result: "allow" }, { "x-api-key": stranger })
      const writers = await world.post(path, { result: "allow" }, { "x-api-key": key.secret })
      assert.deepStrictEqual([theirs.status, writers.status], [404, 403])
    }
    const bad = [{}, { result: "maybe" }, { result: "allow", input: "text" }, { result: "allow", message: "x" }]
    for (const body of bad) assert.strictEqual((await world.post(`/v1/approvals/${asked.id}`, body)).status, 400)
    assert.strictEqual((await world.post("/v1/approvals/nonsense", { result: "allow" })).status, 400)
    assert.deepStrictEqual(await listed(`/v1/sessions/${id}/approvals`), [asked])
  })

  it("is found among a hundred thousand sessions without looking at them", async () => {
    const id = await asking("ask")
    await eventually(`/v1/approvals?session_id=${id}`, several(1))
    const plan = await world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`
          INSERT INTO sessions
          SELECT gen_random_uuid(), s.workspace_id, 'idle', 'end_turn', null, s.agent_id, 1, null, null, null, null, 'api',
            'x', null, 'workspace', null, '{}', '{}', 0, 0, 0, 0, s.created_at, s.updated_at, null, null
          FROM sessions s, generate_series(1, 100000) WHERE s.session_id = ${toUuid(id)!}`
        yield* sql`ANALYZE sessions`
        yield* sql`ANALYZE inbox`
        const rows = yield* sql<Record<string, string>>`
          EXPLAIN SELECT 1 FROM inbox i JOIN sessions s ON s.session_id = i.session_id
          WHERE i.generation = 1 AND i.workspace_id = (SELECT workspace_id FROM sessions LIMIT 1) AND i.kind = 'approval'
            AND s.open_requests > 0
          ORDER BY i.asked_at, i.call_id LIMIT 21`
        return rows.map((row) => Object.values(row)[0]).join("\n")
      })
    )
    assert.notMatch(plan, /Seq Scan on sessions s/, plan)
    assert.isTrue((await listed("/v1/approvals?limit=100")).some(({ session_id }) => session_id === id))
  })
})
