import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema"
import Anthropic from "@anthropic-ai/sdk"
import type { Work } from "@troupe/domain/api/Work"
import OldAnthropic from "anthropic-sdk-0.120"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../test/requires.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { eventually, only } from "./waiting.ts"
import { type Refused, WorkerWorld } from "./WorkerWorld.ts"

const withinMs = 180_000

type WorkPage = { readonly data: ReadonlyArray<Work> }

requires("postgres")("the workers of a self-hosted environment", () => {
  let world: WorkerWorld
  beforeAll(async () => {
    world = await WorkerWorld.start()
  }, 120_000)
  afterAll(() => world.end(), 60_000)

  describe.each(["@anthropic-ai/sdk", "anthropic-sdk-0.120"] as const)("that %s brings", (sdk) => {
    it("run a session's tools on their own machine", { timeout: withinMs }, async () => {
      const hosted = await world.hosted()
      const worker = world.worker(sdk, hosted)
      const session = await world.session(hosted, "write file note.txt by hand", "run: cat note.txt; pwd")
      const events = await world.until(session, "TurnCompleted")
      assert.include(readFileSync(join(worker.directory, "note.txt"), "utf8"), "by hand")
      const answers = only(events, "ToolAnswered")
      assert.deepStrictEqual(
        answers.map(({ executor, isError }) => [executor, isError]),
        [
          ["worker", false],
          ["worker", false]
        ]
      )
      assert.include(JSON.stringify(answers[1]!.content), worker.directory)
      const { data } = await world.client.beta.sessions.events.list(session)
      const uses = data.flatMap((event) => (event.type === "agent.tool_use" ? [event.id] : []))
      const results = data.flatMap((event) => (event.type === "user.tool_result" ? [event.tool_use_id] : []))
      assert.deepStrictEqual(results, uses)
      const states = await world.ask<WorkPage>(hosted.key, "GET", `/v1/environments/${hosted.environmentId}/work`)
      assert.deepStrictEqual(
        states.body.data.map(({ secret, state }) => [state, secret]),
        [["active", null]]
      )
    })

    it("leave a client's tools to the client, whose tool runner makes them", { timeout: withinMs }, async () => {
      const hosted = await world.hosted()
      const Client = sdk === "@anthropic-ai/sdk" ? Anthropic : (OldAnthropic as unknown as typeof Anthropic)
      const client = new Client({ apiKey, baseURL: world.baseURL })
      const greet = betaTool({
        name: "greet",
        description: "Greets.",
        inputSchema: { type: "object", properties: { name: { type: "string" } } },
        run: ({ name }) => `Hello, ${String(name)}!`
      })
      const session = await world.session(hosted, `call greet {"name":"Ada"}`)
      const made: Array<string> = []
      for await (const call of client.beta.sessions.events.toolRunner(session, { tools: [greet], maxIdleMs: 200 })) {
        made.push(`${call.name} ${call.posted}`)
      }
      assert.deepStrictEqual(made, ["greet true"])
      const [answer] = only(await world.until(session, "TurnCompleted"), "ToolAnswered")
      assert.include(JSON.stringify(answer), "Hello, Ada!")
    })
  })

  it("get each session once, however many ask for it", { timeout: withinMs }, async () => {
    const hosted = await world.hosted()
    const session = await world.session(hosted, "run: true")
    const claims = await eventually("the session is given to somebody", async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => world.poll(hosted)))
      return all.some((claim) => claim !== null) ? all.filter((claim) => claim !== null) : undefined
    })
    assert.deepStrictEqual(
      claims.map(({ sessionId }) => sessionId),
      [session]
    )
    const path = `/v1/environments/${hosted.environmentId}/work/stats`
    const { body } = await world.ask<object>(apiKey, "GET", path)
    assert.deepInclude(body, { type: "work_queue_stats", depth: 0, pending: 1 })
    const acks = await Promise.all([0, 1].map(() => world.work(hosted.key, hosted, claims[0]!, "ack")))
    assert.deepStrictEqual(acks.map(({ status }) => status).sort(), [200, 409])
  })

  it("lose what they send no heartbeats for, and are told so", { timeout: withinMs }, async () => {
    const hosted = await world.hosted()
    const session = await world.session(hosted, "run: echo once", "say: over")
    const first = await world.claim(hosted)
    const [requested] = only(await world.until(session, "TurnSuspended"), "ToolRequested")
    const begun = await world.beat(hosted, first, "NO_HEARTBEAT", 60)
    assert.deepInclude(begun.body, { lease_extended: true, state: "active", ttl_seconds: 60 })
    assert.strictEqual((await world.beat(hosted, first, "NO_HEARTBEAT")).status, 412)
    const beaten = await world.beat(hosted, first, begun.body.last_heartbeat, 1)
    // Its answer was lost, and the worker sends it again.
    const again = await world.beat(hosted, first, begun.body.last_heartbeat, 1)
    assert.deepStrictEqual([beaten.status, again.status], [200, 200])

    const events = await world.until(session, "TurnCompleted")
    const [finished] = only(events, "ToolFinished")
    assert.deepInclude(finished, { callId: requested!.callId, executor: "worker", outcome: "unknown" })
    const second = await world.claim(hosted)
    assert.strictEqual(second.workId, first.workId)
    assert.strictEqual((await world.beat(hosted, second, "NO_HEARTBEAT")).status, 200)

    const late = await world.beat<Refused>(hosted, first, again.body.last_heartbeat)
    assert.strictEqual(late.status, 412)
    assert.propertyVal(late.body.error.details, "error_code", "heartbeat_precondition_failed")
    assert.deepInclude(late.body.error.details["current_state"], { state: "active", lease_extended: false })
    const result = { type: "user.tool_result", tool_use_id: requested!.callId, content: [] }
    const sent = await world.ask(first.token, "POST", `/v1/sessions/${session}/events`, { events: [result] })
    assert.strictEqual(sent.status, 403)
    assert.strictEqual((await world.work(first.token, hosted, first, "stop", { force: true })).status, 409)
    assert.strictEqual((await world.work(second.token, hosted, second, "stop", { force: true })).status, 200)
    assert.strictEqual((await world.work(second.token, hosted, second, "stop", { force: true })).status, 409)
  })

  it(
    "that are killed while a tool runs leave its outcome unknown, and it is not repeated",
    { timeout: withinMs },
    async () => {
      const hosted = await world.hosted()
      const worker = world.worker("@anthropic-ai/sdk", hosted, 4)
      const doubtful = world.effect("doubtful", `; while [ -d "$PWD" ]; do sleep 0.2; done`)
      const after = world.effect("after")
      const session = await world.session(hosted, doubtful.line, after.line)
      await world.happened(doubtful.token)
      await worker.kill()
      const next = world.worker("@anthropic-ai/sdk", hosted, 60)
      const events = await world.until(session, "TurnCompleted")
      assert.deepStrictEqual(
        only(events, "ToolFinished").map(({ outcome }) => outcome),
        ["unknown"]
      )
      assert.strictEqual(world.sink.count(doubtful.token), 1)
      assert.strictEqual(world.sink.count(after.token), 1)
      assert.isTrue(existsSync(next.directory))
    }
  )

  it("go on when the node is killed under them", { timeout: withinMs }, async () => {
    const hosted = await world.hosted()
    world.worker("@anthropic-ai/sdk", hosted, 60)
    const before = world.effect("before", "; sleep 3")
    const after = world.effect("after")
    const session = await world.session(hosted, before.line, after.line)
    await world.happened(before.token)
    await world.node().end("SIGKILL")
    await world.system.node()
    const events = await world.until(session, "TurnCompleted")
    assert.lengthOf(only(events, "ToolAnswered"), 2)
    assert.lengthOf(only(events, "ToolFinished"), 0)
    assert.deepStrictEqual([world.sink.count(before.token), world.sink.count(after.token)], [1, 1])
  })

  it("let go when they are asked to, and the session goes on elsewhere", { timeout: withinMs }, async () => {
    const hosted = await world.hosted()
    const worker = world.worker("@anthropic-ai/sdk", hosted, 4)
    const begun = world.effect("begun", "; sleep 600")
    const after = world.effect("after")
    const session = await world.session(hosted, begun.line, after.line)
    await world.happened(begun.token)
    const { body } = await world.ask<WorkPage>(hosted.key, "GET", `/v1/environments/${hosted.environmentId}/work`)
    const workId = body.data[0]!.id
    const asked = await world.work(apiKey, hosted, { workId }, "stop", {})
    assert.deepStrictEqual([asked.status, asked.body.state], [200, "stopping"])
    const stopped = await eventually("the worker lets go", async () => {
      const one = await world.ask<Work>(apiKey, "GET", `/v1/environments/${hosted.environmentId}/work/${workId}`)
      return one.body.state === "stopped" ? one.body : undefined
    })
    assert.isNotNull(stopped.stopped_at)
    // The same worker asks for the next work, and gets the session again.
    const events = await world.until(session, "TurnCompleted")
    assert.deepStrictEqual(
      only(events, "ToolFinished").map(({ outcome }) => outcome),
      ["unknown"]
    )
    assert.deepStrictEqual([world.sink.count(begun.token), world.sink.count(after.token)], [1, 1])
    await worker.kill()
  })

  it("reach with what they are given their work, and no more", { timeout: withinMs }, async () => {
    const hosted = await world.hosted()
    const other = await world.hosted()
    const session = await world.session(hosted, "run: true")
    const elsewhere = await world.session(other, "run: true")
    const claim = await world.claim(hosted)
    const work = `/v1/environments/${hosted.environmentId}/work`
    const status = async (...[key, method, path, body]: Parameters<WorkerWorld["ask"]>) =>
      (await world.ask(key, method, path, body)).status
    assert.strictEqual(await status(apiKey, "GET", `${work}/poll`), 403)
    assert.strictEqual(await status(apiKey, "POST", `${work}/${claim.workId}/ack`), 403)
    assert.strictEqual(await status(apiKey, "POST", `${work}/${claim.workId}/heartbeat`), 403)
    assert.strictEqual(await status(hosted.key, "GET", `${work}/${claim.workId}`), 403)
    assert.strictEqual(await status(hosted.key, "GET", `${work}/stats`), 403)
    assert.strictEqual(await status(hosted.key, "POST", `/v1/environments/${hosted.environmentId}`, {}), 403)
    assert.strictEqual(await status(hosted.key, "GET", `/v1/environments/${other.environmentId}/work/poll`), 404)
    assert.strictEqual(await status(claim.token, "GET", `/v1/sessions/${session}`), 200)
    assert.strictEqual(await status(claim.token, "GET", `/v1/sessions/${elsewhere}`), 404)
    assert.strictEqual(await status(claim.token, "GET", `/v1/sessions/${session}/events`), 200)
    const words = { type: "user.message", content: [{ type: "text", text: "run: true" }] }
    const beyond = [
      ["GET", work],
      ["GET", "/v1/sessions"],
      ["POST", "/v1/tokens", { kind: "stream", session_id: session }],
      ["POST", `/v1/sessions/${session}`, { title: "mine" }],
      ["POST", `/v1/sessions/${session}/archive`],
      ["DELETE", `/v1/sessions/${session}`],
      ["GET", `/v1/sessions/${session}/log`],
      ["GET", `/v1/sessions/${session}/log/stream`],
      ["GET", `/v1/sessions/${session}/turns`],
      ["POST", `/v1/sessions/${session}/fork`, {}],
      ["POST", `/v1/sessions/${session}/messages`, { content: "run: true" }],
      ["POST", `/v1/sessions/${session}/exec`, { command: "true" }],
      ["POST", `/v1/sessions/${session}/events`, { events: [words] }],
      ["POST", `/v1/sessions/${session}/events`, { events: [{ type: "user.interrupt" }] }]
    ] as const
    for (const [method, path, body] of beyond) {
      assert.strictEqual(await status(claim.token, method, path, body), 403, `${method} ${path}`)
    }
    assert.strictEqual(await status(apiKey, "GET", `${work}/poll?block_ms=1000`), 400)
    const { body } = await world.ask<Work>(apiKey, "POST", `${work}/${claim.workId}`, { metadata: { shift: "night" } })
    assert.deepStrictEqual(body.metadata, { shift: "night" })
    assert.deepStrictEqual((await world.ask<Work>(apiKey, "GET", `${work}/${claim.workId}`)).body, body)
    const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, ""]))
    assert.strictEqual(await status(apiKey, "POST", `${work}/${claim.workId}`, { metadata }), 400)
  })
})
