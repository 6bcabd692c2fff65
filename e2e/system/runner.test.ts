import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { requires } from "../../test/requires.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { OtlpReceiver } from "../support/OtlpReceiver.ts"
import { System, wordsOf } from "../support/System.ts"
import { eventually, only } from "./waiting.ts"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("nodes and runners", () => {
  const scope = Scope.makeUnsafe()
  let system: System
  let receiver: OtlpReceiver

  beforeAll(async () => {
    receiver = await OtlpReceiver.start()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "200" }
    system = new System(await Effect.runPromise(Scope.provide(TestDatabase.make(), scope)))
    await system.node(env)
    system.runner({ env })
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await receiver.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }, 60_000)

  describe("a session", () => {
    it("runs what the model asks for in a sandbox, and keeps what it made", { timeout: 180_000 }, async () => {
      const [node] = system.nodes
      const tools = [{ type: "agent_toolset_20260401" }, { type: "troupe_toolset", configs: [{ name: "update_plan" }] }]
      const session = await system.open(node!, { tools })
      const plan = [{ step: "make a file", status: "completed" }]
      await system.say(
        node!,
        session,
        `run: echo made > made.txt; id -u\nread file made.txt\ncall update_plan ${JSON.stringify({ plan })}`
      )
      const events = await system.turnsEnded(session, 1)
      const tags = events.map(({ _tag }) => _tag)
      assert.include(tags, "TurnCompleted")
      assert.include(tags, "SandboxCreated")
      assert.deepStrictEqual(
        only(events, "PlanUpdated").map(({ items }) => items),
        [plan]
      )
      assert.deepInclude(only(events, "WorkingCopyCaptured")[0]?.changes, { files: 1, added: 1, deleted: 0 })
      assert.include(wordsOf(events), "made")
      const created = events.find((event) => event._tag === "SandboxCreated")
      assert.strictEqual(created?.backend, "bubblewrap")
    })

    it("is traced from its client's request to the call of a tool, in one piece and without words", async () => {
      const [node] = system.nodes
      const session = await system.open(node!)
      const [traceId, client] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
      const content = [{ type: "text", text: "run: echo nobody-reads-this\nrun: exit 3" }]
      const sent = await fetch(`${node!.gateway}/v1/sessions/${session}/events?beta=nobody-reads-this`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-api-key": apiKey,
          traceparent: `00-${traceId}-${client}-01`
        },
        body: JSON.stringify({ events: [{ type: "user.message", content }] })
      })
      assert.strictEqual(sent.status, 200, await sent.clone().text())
      await system.turnsEnded(session, 1)
      const spans = await eventually("the spans of the request and of the attempt have come, which end last", () => {
        const all = receiver.spans.filter((span) => span.traceId === traceId)
        const ended = ["POST", "invoke_agent agent"].every((name) => all.some((span) => span.name === name))
        return ended ? all : undefined
      })
      const ids = new Set([client, ...spans.map(({ spanId }) => spanId)])
      assert.deepStrictEqual(
        spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? "")).map(({ name }) => name),
        []
      )
      const named = (start: string) => spans.filter(({ name }) => name.startsWith(start))
      const [entry] = named("POST")
      assert.deepInclude(entry, { service: "troupe-node", parentSpanId: client })
      const [agent] = named("invoke_agent")
      assert.deepInclude(agent?.attributes, {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.conversation.id": session
      })
      assert.strictEqual(agent?.service, "troupe-runner")
      assert.lengthOf(named("chat demo"), 3)
      const [first, second] = named("execute_tool bash")
      assert.deepInclude(first?.attributes, { "gen_ai.tool.name": "bash", "troupe.tool.outcome": "succeeded" })
      assert.deepInclude(second?.attributes, { "error.type": "failed" })
      for (const { parentSpanId } of [...named("chat"), ...named("execute_tool")]) {
        assert.strictEqual(parentSpanId, agent?.spanId)
      }
      assert.notInclude(receiver.bodies.join(), "nobody-reads-this")
      assert.notInclude(receiver.bodies.join(), apiKey)
      const [row] = await system.query<{ trace: string }>(
        `SELECT replace(correlation_id::text, '-', '') AS trace FROM events WHERE type = 'MessageReceived' ORDER BY xid DESC, seq DESC LIMIT 1`
      )
      assert.strictEqual(row?.trace, traceId)
    }, 180_000)
  })
})
