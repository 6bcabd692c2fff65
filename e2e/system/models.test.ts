import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type EventId, toUuid } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import { requires } from "../../test/requires.ts"
import { filesWith } from "../support/filesWith.ts"
import { System, wordsOf } from "../support/System.ts"
import { eventually, only } from "./waiting.ts"
import { anthropicAt } from "../../packages/server/test/support/anthropic.ts"

const asks = { type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }
const usage = { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49, input_tokens: 40, output_tokens: 9 }

/** Of which the mock makes two thousand pieces. */
const long = "and more ".repeat(1_778).slice(0, 16_000)

requires(
  "postgres",
  "bubblewrap",
  "root"
)("models, reached by a runner", () => {
  const mock = new LLMock({ port: 0, chunkSize: 8 })
  /** What the model wants that never has enough, and when it says so. */
  let looked = 0
  let gate = Promise.resolve()
  const looking = async () => {
    looked++
    await gate
    return { id: `call_${looked}`, name: "glob", arguments: JSON.stringify({ pattern: `*.${looked}` }) }
  }
  let system: System

  beforeAll(async () => {
    const bash = {
      id: "call_1",
      name: "bash",
      arguments: JSON.stringify({ command: "echo $((6 * 7)) > answer; cat answer" })
    }
    mock.addFixtures([
      {
        match: { userMessage: "six times seven", hasToolResult: false },
        response: { content: "Let me see.", toolCalls: [bash], usage }
      },
      {
        match: { userMessage: "six times seven", hasToolResult: true, toolResultContains: "42" },
        response: { content: "It is 42.", usage }
      },
      {
        match: { userMessage: "take your time", hasToolResult: false },
        response: { toolCalls: [{ ...bash, arguments: JSON.stringify({ command: "sleep 1" }) }], usage }
      },
      { match: { userMessage: /take your time|be quick|on fire/ }, response: { content: "I am done.", usage } },
      {
        match: { userMessage: "two things", hasToolResult: false },
        response: { content: "Both.", reasoning: "Both at once.", toolCalls: [bash, { ...bash, id: "call_2" }], usage }
      },
      { match: { userMessage: "two things" }, response: { content: "Done.", usage } },
      {
        match: { userMessage: "no way" },
        response: ({ model }: { readonly model: string }) => ({
          content: "I would rather",
          finishReason: model.startsWith("claude") ? "refusal" : "content_filter",
          usage
        })
      },
      { match: { userMessage: "look around" }, response: async () => ({ toolCalls: [await looking()], usage }) },
      { match: { userMessage: "all of it" }, response: { content: long, usage } },
      { match: { userMessage: "and now" }, response: { error: { message: "slow down" }, status: 429, retryAfter: 0 } }
    ] as never)
    await mock.start()
    system = await System.make()
    await system.node()
    system.runner({
      env: {
        ANTHROPIC_API_KEY: "a secret of the runner",
        ANTHROPIC_BASE_URL: mock.url,
        OPENAI_API_KEY: "another secret",
        OPENAI_BASE_URL: `${mock.url}/v1`
      }
    })
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await mock.stop()
  }, 60_000)

  describe.each([
    ["Anthropic's Messages", "claude-test"],
    ["Chat Completions", "gpt-4.1"]
  ])("over %s", (_name, model) => {
    it("call tools in the sandbox, and what they used is on record", { timeout: 180_000 }, async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { model })
      await system.say(node!, session, "What is six times seven?")
      const events = await system.turnsEnded(session, 1)
      assert.include(wordsOf(events), "It is 42.")
      const usages = events.flatMap((event) => (event._tag === "ModelRequestEnded" ? [event.usage] : []))
      assert.deepStrictEqual(
        usages.map(({ outputTokens, source }) => [source, outputTokens]),
        [
          ["measured", 9],
          ["measured", 9]
        ]
      )
      assert.notInclude(JSON.stringify(events), "secret")
    })

    it("are told in the order of the contract", { timeout: 180_000 }, async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { model })
      await system.say(node!, session, "What is six times seven?")
      await system.turnsEnded(session, 1)
      const told = anthropicAt(node!.gateway).beta.sessions.events.list(session)
      const types: Array<string> = []
      for await (const { type } of told) types.push(type)
      const first = ["user.message", "session.status_running", "session.thread_status_running"]
      assert.deepStrictEqual(types, [
        ...first,
        "span.model_request_start",
        "agent.message",
        "agent.tool_use",
        "span.model_request_end",
        "agent.tool_result",
        "span.model_request_start",
        "agent.message",
        "span.model_request_end",
        "session.thread_status_idle",
        "session.usage",
        "session.status_idle"
      ])
    })

    it("are told in that order where people are asked for several calls, on streams as in lists", async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { model, tools: [asks] })
      const { events } = anthropicAt(node!.gateway).beta.sessions
      const stream = await events.stream(session)
      await system.say(node!, session, "Do two things.")
      const seen: Array<{ readonly type: string }> = []
      for await (const event of stream) {
        seen.push(event)
        if (event.type !== "session.status_idle") continue
        if (event.stop_reason.type !== "requires_action") break
        const allowed = event.stop_reason.event_ids.map((tool_use_id) => ({
          type: "user.tool_confirmation" as const,
          tool_use_id,
          result: "allow" as const
        }))
        assert.lengthOf(allowed, 2)
        await events.send(session, { events: allowed })
      }
      const types = seen.map(({ type }) => type)
      const running = ["session.status_running", "session.thread_status_running"]
      const idle = ["session.thread_status_idle", "session.usage", "session.status_idle"]
      const [start, end] = ["span.model_request_start", "span.model_request_end"]
      const calls = [start, "agent.thinking", "agent.message", "agent.tool_use", "agent.tool_use", end]
      const confirmed = ["user.tool_confirmation", "user.tool_confirmation"]
      const results = ["agent.tool_result", "agent.tool_result"]
      assert.deepStrictEqual(types, [
        ...["user.message", ...running, ...calls, ...idle],
        ...[...confirmed, ...running, ...results],
        ...[start, "agent.message", end, ...idle]
      ])
      const listed: Array<unknown> = []
      for await (const event of events.list(session)) listed.push(event)
      assert.deepStrictEqual(listed, seen as Array<unknown>)
    })

    it("are told what came with a message as soon as the message joins their turn", { timeout: 180_000 }, async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { model })
      const before = mock.getRequests().length
      await system.say(node!, session, "take your time")
      await system.until(session, "a call runs", (events) => events.some(({ _tag }) => _tag === "ToolStarted"))
      const steer = system.message("be quick", { mode: "steer" })
      const inputId = system.mint("Event") as EventId
      const follows = steer.inputId
      const behind = { _tag: "SystemMessage" as const, inputId, follows, content: text("The house is on fire.") }
      await system.send(node!, session, { _tag: "Send", inputs: [steer, behind] })
      // One that came too late for the turn makes its own, with what came with it too.
      await system.until(session, "all that was said is answered", (events) => {
        const count = (tag: string) => events.filter(({ _tag }) => _tag === tag).length
        return count("MessageTaken") === 2 && count("TurnStarted") === count("TurnCompleted")
      })
      const asked = mock.getRequests().slice(before)
      const told = asked.map(({ body }) => JSON.stringify(body)).find((body) => body.includes("be quick"))
      assert.include(told, "The house is on fire.")
    })

    it(
      "are asked again after what they ask for, and the session outlives that they fail or refuse",
      { timeout: 180_000 },
      async () => {
        const [node] = system.nodes
        const session = await system.open(node!, { model })
        await system.say(node!, session, "and now")
        const events = await system.turnsEnded(session, 1)
        const failed = events.find((event) => event._tag === "TurnFailed")
        assert.strictEqual(failed?.error.code, "model_rate_limited")
        assert.strictEqual(events.filter(({ _tag }) => _tag === "AttemptStarted").length, 3)
        // At once, as it said: by itself the session would wait a second, and then two.
        const again = only(events, "TurnRescheduled").map(({ at, notBefore }) => notBefore - at)
        assert.deepStrictEqual(again, [0, 0])
        await system.say(node!, session, "What is six times seven?")
        assert.include(wordsOf(await system.turnsEnded(session, 2)), "It is 42.")
        await system.say(node!, session, "There is no way that you do this.")
        const refused = (await system.turnsEnded(session, 3)).slice(-20)
        assert.strictEqual(only(refused, "TurnCompleted").at(-1)?.stop, "refusal")
        assert.strictEqual(wordsOf(only(refused, "MessageBlock").slice(-1)), "I would rather")
      }
    )
  })

  it(
    "may say two thousand pieces, of which readers may see a part and the log is told once",
    { timeout: 180_000 },
    async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { model: "gpt-4.1" })
      const stream = await anthropicAt(node!.gateway).beta.sessions.events.stream(session, {
        event_deltas: ["agent.message"]
      })
      await system.say(node!, session, "Tell me all of it.")
      const [pieces, whole]: [Array<string>, Array<string>] = [[], []]
      for await (const event of stream) {
        if (event.type === "event_delta" && event.delta.type === "content_delta") {
          const { content } = event.delta
          if (content.type === "text") pieces.push(content.text)
        }
        if (event.type === "agent.message")
          whole.push(...event.content.map((block) => ("text" in block ? block.text : "")))
        if (event.type === "session.status_idle") break
      }
      assert.deepStrictEqual(whole, [long])
      assert.isTrue(long.startsWith(pieces.join("")))
      const [written] = await system.query<{ commits: number }>(
        `SELECT count(DISTINCT xid)::int AS commits FROM events WHERE stream_id = '${toUuid(session)}'`
      )
      assert.isBelow(written!.commits, 25)
    }
  )

  it("are not asked beyond a hard limit while no node is there to say stop", { timeout: 180_000 }, async () => {
    const [node] = system.nodes
    const [runner] = system.runners
    const limit = { metric: "model_requests", max: 3, enforcement: "hard", scope: "session" } as const
    const session = await system.open(node!, { model: "gpt-4.1", budget: [limit] })
    let open = () => {}
    gate = new Promise((resolve) => (open = resolve))
    looked = 0
    await system.say(node!, session, "Please look around.")
    await eventually("the model is asked", () => (looked > 0 ? true : undefined))
    node!.signal("SIGSTOP")
    const looks = () => filesWith(runner!.state, `No files match *.${limit.max}.`)
    const before = looks()
    open()
    await eventually("the call of the last request is over", () =>
      looks().find((file) => !before.includes(file))
    ).finally(() => node!.signal("SIGCONT"))
    assert.strictEqual(looked, limit.max)
    const events = await system.until(session, "the turn waits", (log) => only(log, "TurnSuspended").length > 0)
    assert.strictEqual(only(events, "TurnSuspended")[0]?.reason, "budget")
    assert.lengthOf(only(events, "ModelRequestEnded"), limit.max)
    assert.lengthOf(only(events, "AttemptStarted"), 1)
  })
})
