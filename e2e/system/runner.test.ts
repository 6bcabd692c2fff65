import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Scope } from "effect"
import { requires } from "../../test/requires.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { processesWith } from "../../packages/runner/test/mcp/world.ts"
import {
  faults,
  faultyProvider,
  type FaultyProvider,
  type Reply
} from "../../packages/runner/test/support/FaultyProvider.ts"
import { OtlpReceiver } from "../support/OtlpReceiver.ts"
import { System, wordsOf } from "../support/System.ts"
import { eventually, only, sleep } from "./waiting.ts"

/** Says words until nobody listens any more. */
const talks: Reply = (response) => {
  const piece = {
    id: "1",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt",
    choices: [{ index: 0, delta: { content: "on and on " } }]
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  const timer = setInterval(() => response.write(`data: ${JSON.stringify(piece)}\n\n`), 20)
  response.once("close", () => clearInterval(timer))
}
const nap = "sleep 86399"

const told = (delta: object, finish_reason: string | null = null) => {
  const chunk = { id: "1", object: "chat.completion.chunk", created: 1, model: "gpt" }
  return `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta, finish_reason }] })}\n\n`
}

/** Answers each request by the next of these; one that is cut off has no end. */
const answering = (...answers: ReadonlyArray<{ readonly said: ReadonlyArray<string>; readonly isCut?: true }>) => {
  const left = [...answers]
  const reply: Reply = (response) => {
    const { isCut = false, said } = left.shift()!
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(said.join(""), () => (isCut ? response.destroy() : response.end("data: [DONE]\n\n")))
  }
  return reply
}

requires(
  "postgres",
  "bubblewrap",
  "root"
)("nodes and runners", () => {
  const scope = Scope.makeUnsafe()
  let system: System
  let receiver: OtlpReceiver
  let provider: FaultyProvider

  beforeAll(async () => {
    receiver = await OtlpReceiver.start()
    provider = await Effect.runPromise(Scope.provide(faultyProvider, scope))
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "200" }
    system = await System.make()
    await system.node(env)
    const { host } = new URL(provider.url)
    system.runner({ env: { ...env, OPENAI_BASE_URL: `${provider.url}/v1`, TROUPE_EGRESS_ALLOW: host } })
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

    it("outlives an answer that breaks off, calls under one id and arguments that break off", async () => {
      const [node] = system.nodes
      const call = (index: number, args: string) => ({
        ...{ index, id: "call_one", type: "function", function: { name: "glob", arguments: args } }
      })
      provider.reply = answering(
        { said: [told({ content: "Once upon" })], isCut: true },
        { said: [told({ tool_calls: [call(0, '{"pattern":"*"}'), call(1, '{"patt')] }), told({}, "tool_calls")] },
        { said: [told({ content: "The end." }), told({}, "stop")] }
      )
      const session = await system.open(node!, { model: "gpt-4.1" })
      await system.say(node!, session, "Tell me.")
      const events = await system.turnsEnded(session, 1)
      assert.deepStrictEqual(
        only(events, "ModelRequestEnded").map(({ outcome }) => outcome),
        ["failed", "succeeded", "succeeded"]
      )
      assert.lengthOf(only(events, "TurnRescheduled"), 1)
      assert.deepStrictEqual(
        only(events, "MessageBlock").map((block) => [wordsOf([block]), block.partial]),
        [
          ["Once upon", true],
          ["The end.", false]
        ]
      )
      const asked = only(events, "ToolRequested")
      assert.strictEqual(new Set(asked.map(({ callId }) => callId)).size, 2)
      assert.strictEqual(new Set(asked.map(({ providerCallId }) => providerCallId)).size, 2)
      const outcomes = new Map(only(events, "ToolFinished").map((one) => [one.callId, one]))
      assert.deepStrictEqual(
        asked.map(({ callId }) => outcomes.get(callId)?.outcome),
        ["succeeded", "denied"]
      )
      assert.lengthOf(only(events, "TurnCompleted"), 1)
    }, 180_000)

    it("tells of a sub-agent what it was asked and how it ended, also where people interrupt it", async () => {
      const [node] = system.nodes
      const answers = [answering({ said: [told({ content: "Forty-two." }), told({}, "stop")] }), talks]
      provider.reply = (response, request, body) =>
        request.method === "GET" ? response.end("The page.") : answers.shift()!(response, request, body)
      const session = await system.open(node!, { model: "demo", auxModel: "gpt-4.1" })
      const look = `call web_fetch ${JSON.stringify({ url: `${provider.url}/page`, prompt: "What is it?" })}`
      await system.say(node!, session, look)
      await system.turnsEnded(session, 1)
      await system.say(node!, session, look)
      const own = (all: ReadonlyArray<SessionEvent>) =>
        only(all, "ModelRequestStarted").filter(({ subagentId }) => subagentId !== undefined)
      await system.until(session, "the second one asks its model", (all) => own(all).length === 2)
      await system.send(node!, session, {
        _tag: "Send",
        inputs: [{ _tag: "Interrupt", inputId: system.mint("Event") as EventId, threadId: null }]
      })
      const events = await system.turnsEnded(session, 2)
      const began = only(events, "SubagentStarted")
      const calls = only(events, "ToolRequested").map(({ callId }) => callId)
      assert.deepStrictEqual(
        began.map(({ callId, name, task }) => [callId, name, task]),
        calls.map((callId) => [callId, "page_reader", `${provider.url}/page: What is it?`])
      )
      const ids = began.map(({ subagentId }) => subagentId)
      assert.deepStrictEqual(
        own(events).map(({ subagentId }) => subagentId),
        ids
      )
      assert.deepStrictEqual(
        only(events, "SubagentEnded").map(({ callId, outcome, subagentId, summary }) => [
          ...[subagentId, callId, outcome, summary]
        ]),
        [
          [ids[0], calls[0], "succeeded", "Forty-two."],
          [ids[1], calls[1], "interrupted", null]
        ]
      )
      assert.lengthOf(only(events, "TurnInterrupted"), 1)
      await eventually("nobody listens any more", () => (provider.open() === 0 ? true : undefined))
    }, 180_000)

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

  describe("a turn that is interrupted", () => {
    const begun = (tag: SessionEvent["_tag"]) => (events: ReadonlyArray<SessionEvent>) =>
      events.some(({ _tag }) => _tag === tag)

    it.each([
      ["while its model speaks", { model: "gpt-4.1", reply: talks, words: "Go on.", from: "ModelRequestStarted" }],
      [
        "while its model says nothing",
        { model: "gpt-4.1", reply: faults["hangs before its headers"], words: "Go on.", from: "ModelRequestStarted" }
      ],
      ["while a tool runs", { model: "demo", reply: talks, words: `run: ${nap}`, from: "ToolStarted" }]
    ] as const)(
      "%s has ended by its runner's own word, with nothing left open",
      { timeout: 180_000 },
      async (_name, { from, model, reply, words }) => {
        const [node] = system.nodes
        provider.reply = reply
        const asked = provider.asked.length
        const session = await system.open(node!, { model })
        await system.say(node!, session, words)
        await system.until(session, "it has begun", begun(from))
        if (model === "gpt-4.1")
          await eventually("the model is asked", () => (provider.asked.length > asked ? true : undefined))
        else await eventually("the tool runs", () => (processesWith(nap.split(" ")[1]!).length > 0 ? true : undefined))
        if (reply === talks && model !== "demo") await sleep(300)
        await system.send(node!, session, {
          _tag: "Send",
          inputs: [{ _tag: "Interrupt", inputId: system.mint("Event") as EventId, threadId: null }]
        })
        const events = await system.until(session, "it has ended", begun("TurnInterrupted"))
        // By the runner, and not by the node after a while without its word.
        assert.isNotNull(only(events, "TurnInterrupted")[0]?.frame)
        const ended = only(events, "ModelRequestEnded").at(-1)
        if (model === "gpt-4.1") assert.strictEqual(ended?.outcome, "cancelled")
        else assert.strictEqual(only(events, "ToolFinished")[0]?.outcome, "interrupted")
        const said = only(events, "MessageBlock")
        assert.deepStrictEqual(
          said.map(({ partial }) => partial),
          reply === talks && model !== "demo" ? [true] : []
        )
        await eventually("nobody listens any more", () => (provider.open() === 0 ? true : undefined))
        await eventually("nothing of the tool is left", () =>
          processesWith(nap.split(" ")[1]!).length === 0 ? true : undefined
        )
        const [took] = await system.query<{ ms: number }>(`
        SELECT ((SELECT recorded_at FROM events i WHERE i.stream_id = e.stream_id AND i.type = 'TurnInterrupted')
          - (SELECT recorded_at FROM events i WHERE i.stream_id = e.stream_id AND i.type = 'InterruptRequested'))::float8 / 1000 AS ms
        FROM events e WHERE type = 'TurnInterrupted' ORDER BY xid DESC LIMIT 1`)
        console.info(`interrupted ${_name}: idle ${Math.round(took!.ms)} ms after it was acknowledged`)
      }
    )
  })
})
