import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Fiber, Latch, Result } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import * as FakeRun from "./FakeRun.ts"
import { type ChosenModel, modelClients } from "../support/modelClients.ts"

const mock = new LLMock({ port: 0, chunkSize: 6 })
const { user } = FakeRun

const call = (name: string, input: string, id = `call_${name}`) => ({ id, name, arguments: input })
const answer = (userMessage: string, hasToolResult: boolean, response: object, more: object = {}) => ({
  match: { userMessage, hasToolResult },
  response: {
    usage: { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49, input_tokens: 40, output_tokens: 9 },
    ...response
  },
  ...more
})

beforeAll(async () => {
  mock.addFixtures([
    answer("two cities", false, {
      content: "Both.",
      toolCalls: [call("weather", '{"city":"Oslo"}', "a"), call("weather", '{"city":"Rome"}', "b")]
    }),
    answer("two cities", true, { content: "Snow and sun." }),
    answer("twice the id", false, { toolCalls: [call("weather", "{}", "same"), call("weather", "{}", "same")] }),
    answer("twice the id", true, { content: "Fine." }),
    answer("odd tool", false, { toolCalls: [call("teleport", "{}")] }),
    answer("odd tool", true, { content: "There is none." }),
    answer("hyphens", false, { toolCalls: [call("mcp__a-b__get-it", "{}")] }),
    answer("hyphens", true, { content: "Got it." }),
    answer("garbled", false, { toolCalls: [call("weather", '{"city": "Os')] }),
    answer("garbled", true, { content: "Sorry." }),
    answer("long story", false, { content: "word ".repeat(400) }, { latency: 20 }),
    answer("too much", false, { error: { message: "slow down" }, status: 429, retryAfter: 3, usage: undefined }),
    answer("key", false, { error: { message: "bad key" }, status: 401, usage: undefined }),
    answer(
      "cut off",
      false,
      { content: "This is not the end of all that I have to say. ".repeat(9) },
      { truncateAfterChunks: 20, latency: 1 }
    ),
    answer("steer me", false, { toolCalls: [call("weather", "{}")] }),
    { match: { userMessage: "go north instead" }, response: { content: "North it is." } },
    { match: { userMessage: "Sum up this conversation" }, response: { content: "They talked a lot." } },
    { match: { userMessage: "Summary of the conversation so far" }, response: { content: "Indeed." } },
    answer("hello", false, { content: "Hello there." })
  ] as never)
  await mock.start()
})
afterAll(() => mock.stop())

const clients = modelClients(mock)

const harnessOver = (choose: () => ChosenModel) =>
  OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed({ ...choose(), price: null })) })

const tags = (frames: ReadonlyArray<FrameBody>) => frames.map(({ _tag }) => _tag)
const results = (frames: ReadonlyArray<FrameBody>) =>
  frames.flatMap((body) =>
    body._tag === "ToolFinished" ? body.content.map((block) => (block.type === "text" ? block.text : block.type)) : []
  )
const weather = () => Effect.succeed("snow")
const ended = { _tag: "Completed", stop: "end_turn", details: null } as const

for (const [name, choose] of Object.entries(clients)) {
  describe(`openai-agents over ${name}`, () => {
    const harness = harnessOver(choose)
    const make = (options: Partial<FakeRun.FakeRunOptions> & { readonly message: string }) =>
      FakeRun.make({ model: choose().model, history: [user(options.message)], tools: { weather }, ...options })

    it.live("streams an answer, whose deltas make up its block", () =>
      Effect.gen(function* () {
        const fake = make({ message: "hello" })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        assert.deepStrictEqual(tags(fake.frames), ["ModelRequestStarted", "MessageBlock", "ModelRequestEnded"])
        assert.deepStrictEqual(FakeRun.said(fake.frames), ["Hello there."])
        assert.strictEqual(fake.deltas.map(([, , piece]) => piece).join(""), "Hello there.")
        const [block] = fake.frames.filter((body) => body._tag === "MessageBlock")
        assert.deepStrictEqual(new Set(fake.deltas.map(([id]) => id)), new Set([block!.blockId]))
        const usage = fake.frames.flatMap((body) => (body._tag === "ModelRequestEnded" ? [body.usage] : []))
        assert.deepInclude(usage[0], { source: "measured", inputTokens: 40, outputTokens: 9, costMicroUsd: null })
      })
    )

    it.live("runs the calls of an answer side by side, and goes on with their results", () =>
      Effect.gen(function* () {
        const both = Latch.makeUnsafe(false)
        let running = 0
        const together = () =>
          Effect.suspend(() => {
            if (++running === 2) both.openUnsafe()
            return Effect.as(both.await, "snow")
          })
        const fake = make({ message: "two cities", tools: { weather: together } })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        const inputs = fake.frames.flatMap((body) => (body._tag === "ToolRequested" ? [body.input] : []))
        assert.deepStrictEqual(inputs, [{ city: "Oslo" }, { city: "Rome" }])
        assert.deepStrictEqual(FakeRun.said(fake.frames), ["Both.", "Snow and sun."])
        // What an answer asks for is said before the answer ends, and what comes of it after that.
        assert.deepStrictEqual(tags(fake.frames).slice(0, 6), [
          "ModelRequestStarted",
          "MessageBlock",
          "ToolRequested",
          "ToolRequested",
          "ModelRequestEnded",
          "ToolStarted"
        ])
        assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
      })
    )

    it.live("begins each request as it began the one before, so that providers find it in their cache", () =>
      Effect.gen(function* () {
        const before = mock.getRequests().length
        const fake = make({ message: "two cities", tools: { weather: () => Effect.succeed("cold") } })
        yield* harness.run(fake.run)
        const [first, second] = mock
          .getRequests()
          .slice(before)
          .map(({ body }) => body as unknown as { readonly messages: ReadonlyArray<unknown>; readonly tools: unknown })
        assert.isAbove(second!.messages.length, first!.messages.length)
        assert.deepStrictEqual(second!.messages.slice(0, first!.messages.length), first!.messages)
        assert.deepStrictEqual(second!.tools, first!.tools)
      })
    )

    it.live("tells calls apart whose provider gave them one id", () =>
      Effect.gen(function* () {
        const fake = make({ message: "twice the id" })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        const ids = fake.frames.flatMap((body) => (body._tag === "ToolRequested" ? [body.callId] : []))
        assert.strictEqual(new Set(ids).size, 2)
      })
    )

    it.live("lets the gateway answer for a tool that is not there, and for arguments that are no JSON", () =>
      Effect.gen(function* () {
        for (const message of ["odd tool", "garbled"]) {
          const fake = make({ message })
          assert.deepStrictEqual(yield* harness.run(fake.run), ended)
          assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ToolRequested").length, 1)
          assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ModelRequestStarted").length, 2)
        }
      })
    )

    it.live("knows its tools by whatever names they have", () =>
      Effect.gen(function* () {
        const tools = { "mcp__a-b__get-it": weather, mcp__a_b__get_it: () => Effect.succeed("another") }
        const fake = make({ message: "hyphens", tools })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        assert.deepStrictEqual(results(fake.frames), ["snow"])
      })
    )

    it.live("is suspended while a call waits for somebody, once the other calls are done", () =>
      Effect.gen(function* () {
        const mixed = (input: unknown) =>
          Effect.succeed((input as { readonly city: string }).city === "Oslo" ? "awaiting" : "sun")
        const fake = make({ message: "two cities", tools: { weather: mixed } })
        assert.deepStrictEqual(yield* harness.run(fake.run), { _tag: "Suspended", reason: "requires_action" })
        assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ToolFinished").length, 1)
        assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ModelRequestStarted").length, 1)
      })
    )

    it.live("goes on from the log when the answer is there", () =>
      Effect.gen(function* () {
        const callId = "sevt_open" as EventId
        const pending: ReadonlyArray<HistoryItem> = [
          user("two cities"),
          { type: "tool_call", callId, requestId: null, providerCallId: "a", name: "weather", server: null, input: {} },
          { type: "tool_result", callId, providerCallId: "a", outcome: "pending", content: text("-"), isError: true }
        ]
        const done = { _tag: "Done", callId, outcome: "succeeded", content: text("snow"), isError: false } as const
        const fake = make({ message: "", history: pending, resume: Effect.succeed([done]) })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        assert.deepStrictEqual(FakeRun.said(fake.frames), ["Snow and sun."])
      })
    )

    it.live("keeps what was said when it is interrupted, and is done at once", () =>
      Effect.gen(function* () {
        const fake = make({ message: "long story" })
        const fiber = yield* Effect.forkChild(harness.run(fake.run))
        yield* fake.until("ModelRequestStarted")
        while (fake.deltas.length < 3) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
        const [partial] = FakeRun.said(fake.frames)
        assert.match(partial ?? "", /^word .*…$/)
        const end = fake.frames.at(-1)
        assert.strictEqual(end?._tag === "ModelRequestEnded" && end.outcome, "cancelled")
        assert.strictEqual(end?._tag === "ModelRequestEnded" && end.usage.source, "estimated")
      })
    )

    it.live("takes a steer at its next request", () =>
      Effect.gen(function* () {
        const fake = make({
          message: "steer me",
          tools: {
            weather: () =>
              Effect.sync(() => {
                fake.steer("go north instead")
                return "snow"
              })
          }
        })
        assert.deepStrictEqual(yield* harness.run(fake.run), ended)
        assert.include(tags(fake.frames), "SteerTaken")
        assert.deepStrictEqual(FakeRun.said(fake.frames), ["North it is."])
      })
    )

    it.live("stops between steps when it is told to", () =>
      Effect.gen(function* () {
        const fake = make({
          message: "two cities",
          tools: {
            weather: () =>
              Effect.sync(() => {
                fake.stop("paused")
                return "snow"
              })
          }
        })
        assert.deepStrictEqual(yield* harness.run(fake.run), { _tag: "Suspended", reason: "paused" })
        assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ModelRequestStarted").length, 1)
      })
    )

    it.live("stops before the request that a hard budget does not allow", () =>
      Effect.gen(function* () {
        const limit = { metric: "model_requests", max: 1, enforcement: "hard", scope: "turn" } as const
        const fake = make({ message: "two cities", budget: [limit] })
        assert.deepStrictEqual(yield* harness.run(fake.run), { _tag: "Suspended", reason: "budget" })
        assert.strictEqual(tags(fake.frames).filter((tag) => tag === "ModelRequestStarted").length, 1)
      })
    )

    it.live("fails with what the provider asks for, and leaves trying again to the session", () =>
      Effect.gen(function* () {
        const busy = yield* harness.run(make({ message: "too much" }).run)
        assert.deepInclude(busy, { _tag: "Failed", retryable: true, retryAfterMs: 3_000 })
        const denied = yield* harness.run(make({ message: "key" }).run)
        assert.deepInclude(denied, { _tag: "Failed", retryable: false })
        const cut = make({ message: "cut off" })
        assert.deepInclude(yield* harness.run(cut.run), { _tag: "Failed", retryable: true })
        assert.match(FakeRun.said(cut.frames)[0] ?? "", /…$/)
        assert.deepStrictEqual(FakeRun.unbalanced(cut.frames), [])
      })
    )

    it.live("sums the conversation up when it fills the model's window", () =>
      Effect.gen(function* () {
        const { client, model } = choose()
        const small = { client: { ...client, facts: () => ({ contextTokens: 2_000, outputTokens: 500 }) }, model }
        const fake = make({ message: `much talk ${"blah ".repeat(2_000)}` })
        assert.deepStrictEqual(yield* harnessOver(() => small).run(fake.run), ended)
        const compacted = fake.frames.flatMap((body) => (body._tag === "ContextCompacted" ? [body] : []))
        assert.deepStrictEqual(compacted[0]?.summary, text("They talked a lot."))
        assert.isBelow(compacted[0]!.tokensAfter, compacted[0]!.tokensBefore)
        // What the summary's own request said is not the model's word to people.
        assert.notInclude(FakeRun.said(fake.frames).join(), "They talked a lot.")
        assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
      })
    )

    it.live("asks nothing of a model while no node is in reach", () =>
      Effect.gen(function* () {
        const fake = make({ message: "hello" })
        fake.lease.closeUnsafe()
        const fiber = yield* Effect.forkChild(harness.run(fake.run))
        yield* Effect.sleep(50)
        assert.deepStrictEqual(fake.frames, [])
        fake.lease.openUnsafe()
        assert.deepStrictEqual(yield* Fiber.join(fiber), ended)
      })
    )
  })
}

describe("How the agent's model is asked", () => {
  const output = { type: "object", properties: { city: { type: "string" } } }
  const settings = { effort: "high", speed: "fast", temperature: 0.5, maxTokens: 77, output }
  const asked = Effect.fnUntraced(function* (name: string) {
    const fake = FakeRun.make({ model: "m", history: [user("hello")], settings })
    yield* harnessOver(clients[name]!).run(fake.run)
    return mock.getRequests().at(-1)!.body as unknown as Readonly<Record<string, unknown>>
  })

  it.live("reaches Chat Completions", () =>
    Effect.gen(function* () {
      const { max_tokens, response_format, temperature } = yield* asked("Chat Completions")
      assert.deepStrictEqual([max_tokens, temperature], [77, 0.5])
      assert.include(JSON.stringify(response_format), JSON.stringify(output))
    })
  )

  it.live("reaches whoever speaks another interface", () =>
    Effect.gen(function* () {
      for (const name of ["OpenAI Responses", "Anthropic Messages"]) {
        const { max_output_tokens, max_tokens } = yield* asked(name)
        assert.strictEqual(max_output_tokens ?? max_tokens, 77, name)
      }
    })
  )
})

describe("openai-agents over the demo model", () => {
  it.live("works through the instructions with the tools it has", () =>
    Effect.gen(function* () {
      const commands: Array<unknown> = []
      const bash = (input: unknown) => Effect.sync(() => (commands.push(input), "out"))
      const fake = FakeRun.make({ model: "demo", history: [user("run: one\nrun: two")], tools: { bash } })
      const harness = harnessOver(() => ({ client: DemoModel.make(), model: "demo" }))
      assert.deepStrictEqual(yield* harness.run(fake.run), ended)
      assert.deepStrictEqual(commands, [{ command: "one" }, { command: "two" }])
    })
  )

  it.live("says that it thinks, under the id of what it thought", () =>
    Effect.gen(function* () {
      const fake = FakeRun.make({ model: "demo", history: [user("think: of snow\nsay: Snow.")] })
      const harness = harnessOver(() => ({ client: DemoModel.make(), model: "demo" }))
      assert.deepStrictEqual(yield* harness.run(fake.run), ended)
      const blocks = fake.frames.flatMap((body) => (body._tag === "ThinkingBlock" ? [body.blockId] : []))
      assert.lengthOf(blocks, 1)
      assert.deepStrictEqual(fake.thoughts, blocks)
      assert.notInclude(
        fake.deltas.map(([blockId]) => blockId),
        blocks[0]
      )
    })
  )

  it.live("says why there is no model", () =>
    Effect.gen(function* () {
      const error = { code: "model_unknown", message: "There is no such model" }
      const harness = OpenAiAgents.make({ choose: () => Effect.succeed(Result.fail(error)) })
      const fake = FakeRun.make({ model: "nothing", history: [user("hello")] })
      const end = yield* harness.run(fake.run)
      assert.deepStrictEqual(end, { _tag: "Failed", error, retryable: false, retryAfterMs: null })
    })
  )
})
