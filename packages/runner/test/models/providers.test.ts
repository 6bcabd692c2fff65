import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Result, Stream } from "effect"
import type { ModelEvent, ModelRequest } from "../../src/models/ModelClient.ts"
import { modelClients } from "../support/modelClients.ts"

const mock = new LLMock({ port: 0, chunkSize: 7 })

/** Each interface reads its own names. */
const usage = { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49, input_tokens: 40, output_tokens: 9 }

beforeAll(async () => {
  mock.addFixtures([
    {
      match: { userMessage: "weather", hasToolResult: false },
      response: { content: "Looking.", toolCalls: [{ id: "call_1", name: "weather", arguments: '{"city":"Oslo"}' }] }
    },
    { match: { userMessage: "weather", hasToolResult: true }, response: { content: "It snows in Oslo." } },
    { match: { userMessage: "think" }, response: { content: "So it is.", reasoning: "Let me see." } },
    { match: { userMessage: "hello" }, response: { content: "Hello, what can I do for you today?", usage } },
    { match: { userMessage: "busy" }, response: { error: { message: "slow down" }, status: 429, retryAfter: 7 } },
    { match: { userMessage: "key" }, response: { error: { message: "bad key sk-abcdefghijkl" }, status: 401 } },
    {
      match: { userMessage: "long" },
      response: {
        error: { message: "prompt is too long: 9 tokens > 8 maximum", code: "context_length_exceeded" },
        status: 400
      }
    },
    { match: { userMessage: "broken" }, response: { error: { message: "oops" }, status: 500 } },
    {
      match: { userMessage: "cut" },
      response: { content: "This will not come to its end at all" },
      truncateAfterChunks: 2,
      disconnectAfterMs: 1
    }
  ] as never)
  await mock.start()
})
afterAll(() => mock.stop())

const clients = modelClients(mock)

const user = (message: string): HistoryItem => ({ type: "user", inputId: null, from: null, content: text(message) })
const weather = {
  name: "weather",
  description: "Tells the weather",
  inputSchema: { type: "object", properties: { city: { type: "string" } } }
}

const requestOf = (model: string, history: ReadonlyArray<HistoryItem>): ModelRequest => ({
  model,
  instructions: [
    { section: "agent", text: "You are brief." },
    { section: "session", text: "" }
  ],
  history,
  tools: [weather],
  settings: {},
  cacheKey: "sesn_1"
})

const tags = (events: Iterable<ModelEvent>) => [...events].map(({ _tag }) => _tag)
const only = <Tag extends ModelEvent["_tag"]>(events: Iterable<ModelEvent>, tag: Tag) =>
  [...events].filter((event): event is Extract<ModelEvent, { readonly _tag: Tag }> => event._tag === tag)
const pieces = (events: Iterable<ModelEvent>, index: number) =>
  only(events, "Delta")
    .filter((event) => event.index === index)
    .map((event) => event.text)
    .join("")

for (const [name, make] of Object.entries(clients)) {
  describe(name, () => {
    const ask = (...history: ReadonlyArray<HistoryItem>) =>
      Effect.suspend(() => {
        const { client, model } = make()
        return Stream.runCollect(client.stream(requestOf(model, history)))
      })
    const trouble = (message: string) =>
      Effect.map(Effect.result(ask(user(message))), (result) => {
        if (Result.isSuccess(result)) throw new Error(`It went well: ${tags(result.success).join()}`)
        return result.failure
      })

    it.effect("streams an answer whose pieces make up the whole, and says what it used", () =>
      Effect.gen(function* () {
        const events = yield* ask(user("hello"))
        const [said] = only(events, "Text")
        assert.strictEqual(said?.text, "Hello, what can I do for you today?")
        assert.strictEqual(pieces(events, said!.index), said?.text)
        assert.isAbove(only(events, "Delta").length, 1)
        const [ended] = only(events, "Ended")
        assert.strictEqual(ended?.stop, "end_turn")
        assert.deepStrictEqual([ended?.usage?.inputTokens, ended?.usage?.outputTokens], [40, 9])
        assert.strictEqual(tags(events).at(-1), "Ended")
      })
    )

    it.effect("calls a tool, and goes on with its result", () =>
      Effect.gen(function* () {
        const events = yield* ask(user("weather?"))
        const [call] = only(events, "ToolCall")
        assert.deepStrictEqual([call?.name, JSON.parse(call?.input ?? "")], ["weather", { city: "Oslo" }])
        assert.strictEqual(only(events, "Ended")[0]?.stop, "tool_calls")
        const requestId = "mreq" as ModelRequestId
        const callId = "sevt" as EventId
        const { providerCallId } = call!
        const rest = yield* ask(
          user("weather?"),
          { type: "assistant", blockId: callId, requestId, content: text("Looking."), partial: false },
          {
            type: "tool_call",
            callId,
            requestId,
            providerCallId,
            name: "weather",
            server: null,
            input: { city: "Oslo" }
          },
          { type: "tool_result", callId, providerCallId, outcome: "succeeded", content: text("snow"), isError: false }
        )
        assert.strictEqual(only(rest, "Text")[0]?.text, "It snows in Oslo.")
      })
    )

    it.effect("tells thinking from what is said", () =>
      Effect.gen(function* () {
        const events = yield* ask(user("think"))
        assert.strictEqual(only(events, "Thinking")[0]?.text, "Let me see.")
        assert.strictEqual(only(events, "Text")[0]?.text, "So it is.")
      })
    )

    it.effect("says how long a busy provider asks to wait", () =>
      Effect.gen(function* () {
        const error = yield* trouble("busy")
        assert.deepStrictEqual(error.trouble, { _tag: "Busy", status: 429, retryAfterMs: 7_000 })
        assert.isTrue(error.passes)
      })
    )

    it.effect("tells a wrong key, and keeps it out of the error", () =>
      Effect.gen(function* () {
        const error = yield* trouble("key")
        assert.strictEqual(error.trouble._tag, "Denied")
        assert.notInclude(error.message, "abcdefghijkl")
        assert.isFalse(error.passes)
      })
    )

    it.effect("tells a conversation that is too long from a request that is wrong", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* trouble("long")).trouble._tag, "ContextTooLong")
      })
    )

    it.effect("fails where the provider does, and where an answer stops before its end", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* trouble("broken")).trouble, { _tag: "Broken", status: 500 })
        const cut = yield* trouble("cut")
        assert.strictEqual(cut.trouble._tag, "Broken")
        assert.isTrue(cut.passes)
      })
    )
  })
}
