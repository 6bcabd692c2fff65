import { assert, describe, it } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Redacted, Result, Stream } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import * as AnthropicModel from "../../src/models/anthropic/AnthropicModel.ts"
import type { ModelClient, ModelRequest, ModelSettings } from "../../src/models/ModelClient.ts"
import * as OpenAiModel from "../../src/models/openai/OpenAiModel.ts"
import * as FakeRun from "../harness/FakeRun.ts"
import { faultyProvider, type Reply } from "../support/FaultyProvider.ts"

const common = { apiKey: Redacted.make("a key for tests"), headers: {}, silenceMs: 20_000 }
const makes = {
  messages: (baseUrl: string) => AnthropicModel.make({ ...common, provider: "anthropic", baseUrl }),
  responses: (url: string) => OpenAiModel.makeResponses({ ...common, provider: "openai", baseUrl: `${url}/v1` }),
  chat: (url: string) => OpenAiModel.makeChat({ ...common, provider: "compatible", baseUrl: `${url}/v1` })
} satisfies Readonly<Record<string, (url: string) => ModelClient>>
type Interface = keyof typeof makes

const user: HistoryItem = { type: "user", inputId: null, from: null, content: text("hello") }
const tool = { name: "look", description: "Looks.", inputSchema: { type: "object" } }

interface Asking {
  readonly model: string
  readonly history?: ReadonlyArray<HistoryItem>
  readonly settings?: ModelSettings
  readonly reply?: Reply
}

const refusing: Reply = (response) => response.writeHead(401, { "content-type": "application/json" }).end("{}")

/** What a server is sent, and what comes of its answer. */
const ask = Effect.fnUntraced(function* (
  by: Interface,
  { history = [user], model, reply = refusing, settings = {} }: Asking
) {
  const provider = yield* faultyProvider
  let beta: unknown
  provider.reply = (response, request, body) => {
    beta = request.headers["anthropic-beta"]
    reply(response, request, body)
  }
  const instructions = [{ section: "agent", text: "Be brief." }]
  const request: ModelRequest = { model, instructions, history, tools: [tool], settings, cacheKey: "k" }
  const result = yield* Effect.result(Stream.runCollect(makes[by](provider.url).stream(request)))
  const body = JSON.parse(provider.asked[0]!) as Readonly<Record<string, Json>>
  return { body, beta, result }
}, Effect.scoped)

describe("What a model of Anthropic is asked with", () => {
  const body = (model: string, settings: ModelSettings) =>
    Effect.map(ask("messages", { model, settings }), ({ beta, body: sent }) => {
      const { output_config = null, speed = null, temperature = null, thinking = null } = sent
      return { beta, output_config, speed, temperature, thinking }
    })
  const none = { beta: undefined, output_config: null, speed: null, temperature: null, thinking: null }
  const adaptive = { type: "adaptive", display: "summarized" }

  it.live("is an effort, where it knows one", () =>
    Effect.gen(function* () {
      for (const model of ["claude-sonnet-4-6", "claude-opus-4-7", "claude-fable-5-1", "claude-to-come"]) {
        const sent = yield* body(model, { effort: "low", temperature: 0.2 })
        assert.deepStrictEqual(sent, { ...none, output_config: { effort: "low" }, thinking: adaptive }, model)
      }
      const opus = yield* body("claude-opus-4-5-20251101", { effort: "high" })
      assert.deepStrictEqual(opus.output_config, { effort: "high" })
      assert.deepStrictEqual(opus.thinking, { type: "enabled", budget_tokens: 16_384 })
    })
  )

  it.live("is a number of tokens to think for, where it knows that, and an answer alone where it knows neither", () =>
    Effect.gen(function* () {
      for (const model of ["claude-haiku-4-5", "claude-sonnet-4-5-20250929", "claude-3-7-sonnet-20250219"]) {
        const sent = yield* body(model, { effort: "medium", temperature: 0.2 })
        assert.deepStrictEqual(sent, { ...none, thinking: { type: "enabled", budget_tokens: 8_192 } }, model)
      }
      const short = yield* body("claude-haiku-4-5", { effort: "max", maxTokens: 4_000 })
      assert.deepStrictEqual(short.thinking, { type: "enabled", budget_tokens: 3_000 })
      assert.deepStrictEqual(yield* body("claude-haiku-4-5", { effort: "max", maxTokens: 1_000 }), none)
      const sent = (model: string) => Effect.map(ask("messages", { model }), ({ body: all }) => all["max_tokens"])
      assert.strictEqual(yield* sent("claude-3-5-haiku-20241022"), 8_192)
      assert.strictEqual(yield* sent("claude-haiku-4-5"), 32_000)
      const old = yield* body("claude-3-5-haiku-20241022", { effort: "high", temperature: 0.2 })
      assert.deepStrictEqual(old, { ...none, temperature: 0.2 })
    })
  )

  it.live("is a temperature that it takes, and a speed with what that wants", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* body("claude-sonnet-4-6", { temperature: 1.5 }), { ...none, temperature: 1 })
      assert.deepStrictEqual(yield* body("claude-opus-4-8", { temperature: 0.2 }), none)
      const fast = { ...none, speed: "fast", beta: "fast-mode-2026-02-01" }
      assert.deepStrictEqual(yield* body("claude-opus-4-6", { speed: "fast" }), fast)
      assert.deepStrictEqual(yield* body("claude-opus-4-6", { speed: "standard" }), none)
      assert.deepStrictEqual(yield* body("claude-haiku-4-5", { speed: "fast" }), none)
    })
  )
})

describe("What Anthropic is to keep of a request", () => {
  it.live("ends where this one ends, and where the one before it did", () =>
    Effect.gen(function* () {
      const callId = "sevt_1" as EventId
      const many = Array.from({ length: 30 }, (_, n): ReadonlyArray<HistoryItem> => {
        const providerCallId = `c${n}`
        const id = `${callId}${n}` as EventId
        const result = {
          callId: id,
          providerCallId,
          outcome: "succeeded",
          content: text("seen"),
          isError: false
        } as const
        const asked = { callId: id, requestId: null, providerCallId, name: "look", server: null, input: {} }
        return [
          { type: "tool_call", ...asked },
          { type: "tool_result", ...result }
        ]
      })
      const calls = many.map(([asked]) => asked!)
      const results = many.map(([, result]) => result!)
      const sent = (history: ReadonlyArray<HistoryItem>) =>
        Effect.map(ask("messages", { model: "m", history }), ({ body }) => {
          const messages = body["messages"] as unknown as ReadonlyArray<{ readonly content: ReadonlyArray<object> }>
          return { body, blocks: messages.flatMap(({ content }) => content) }
        })
      const isMarked = (block: object) => "cache_control" in block
      const before = yield* sent([user])
      const after = yield* sent([user, ...calls, ...results])
      assert.strictEqual(before.blocks.findIndex(isMarked), 0)
      assert.deepStrictEqual(
        after.blocks.map(isMarked).flatMap((marked, at) => (marked ? [at] : [])),
        [0, 60]
      )
      // It takes four marks at most.
      assert.lengthOf(JSON.stringify(after.body).match(/cache_control/g) ?? [], 4)
    })
  )
})

describe("What an agent wants and its model does not take", () => {
  const client = {
    messages: makes.messages("http://x"),
    responses: makes.responses("http://x"),
    chat: makes.chat("http://x")
  }
  const left = (by: Interface, model: string, settings: ModelSettings) => client[by].leavesOut?.({ model, settings })
  const both = { effort: "low", temperature: 1.5 }

  it("is told to people", () => {
    assert.deepStrictEqual(left("messages", "claude-opus-4-8", both), ["claude-opus-4-8 takes no temperature"])
    assert.deepStrictEqual(left("messages", "claude-haiku-4-5", both), [
      "claude-haiku-4-5 takes no temperature beside an effort"
    ])
    assert.deepStrictEqual(left("messages", "claude-3-5-haiku-20241022", both), [
      "claude-3-5-haiku-20241022 takes no effort",
      "claude-3-5-haiku-20241022 takes a temperature of 1 at most, and is asked with that"
    ])
    assert.deepStrictEqual(left("responses", "gpt-4.1", both), ["gpt-4.1 takes no effort"])
    assert.deepStrictEqual(left("responses", "gpt-5-mini", both), ["gpt-5-mini takes no temperature"])
    assert.deepStrictEqual(left("chat", "openai/gpt-4o", both), ["openai/gpt-4o takes no effort"])
    for (const by of ["messages", "responses", "chat"] as const) {
      assert.deepStrictEqual(
        left(by, "a-model-to-come", by === "messages" ? { effort: "low" } : { temperature: 1 }),
        []
      )
    }
  })
})

describe("A higher speed", () => {
  const body = (by: Interface, speed: string) =>
    Effect.map(ask(by, { model: "gpt-4.1", settings: { speed } }), ({ body: sent }) => sent["service_tier"])

  it.live("is a tier of its own behind OpenAI's interfaces", () =>
    Effect.gen(function* () {
      for (const by of ["responses", "chat"] as const) {
        assert.strictEqual(yield* body(by, "fast"), "priority")
        assert.isUndefined(yield* body(by, "standard"))
      }
    })
  )

  it.live("has its own price where the answer says that it was had, and is missed aloud where it does not", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      const price = { input: 1_000_000, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
      const chosen = { client: makes.chat(provider.url), model: "m", price, fastPrice: { ...price, input: 2_000_000 } }
      const harness = OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed(chosen)) })
      const turn = Effect.fnUntraced(function* (service_tier: string) {
        const choices = [{ index: 0, delta: { content: "Yes." }, finish_reason: "stop" }]
        const usage = { prompt_tokens: 1_000, completion_tokens: 0 }
        provider.reply = (response) => {
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.end(`data: ${JSON.stringify({ choices, usage, service_tier })}\n\ndata: [DONE]\n\n`)
        }
        const fake = FakeRun.make({ model: "m", history: [user], settings: { speed: "fast" } })
        yield* harness.run(fake.run)
        return fake.frames.flatMap((one): ReadonlyArray<number | string | null> =>
          one._tag === "ModelRequestEnded"
            ? [one.usage.costMicroUsd]
            : one._tag === "Noted" && one.event._tag === "PlatformNoted"
              ? [one.event.message]
              : []
        )
      })
      assert.deepStrictEqual(yield* turn("priority"), [2_000])
      assert.deepStrictEqual(yield* turn("default"), [
        1_000,
        "m was asked for a higher speed, and does not say that it had it"
      ])
    })
  )
})

describe("What a model behind OpenAI's interfaces is asked with", () => {
  it.live("is an effort in place of a temperature, where it reasons", () =>
    Effect.gen(function* () {
      const settings = { effort: "low", temperature: 0.2, maxTokens: 50 }
      const reasoning = yield* ask("responses", { model: "gpt-5-mini", settings })
      assert.deepInclude(reasoning.body, { reasoning: { effort: "low", summary: "auto" }, max_output_tokens: 50 })
      assert.notProperty(reasoning.body, "temperature")
      const plain = yield* ask("responses", { model: "gpt-4.1", settings })
      assert.deepInclude(plain.body, { temperature: 0.2, max_output_tokens: 50 })
      assert.notProperty(plain.body, "reasoning")
      const chat = yield* ask("chat", { model: "openai/o4-mini", settings })
      assert.deepInclude(chat.body, { reasoning_effort: "low", max_completion_tokens: 50 })
      assert.notProperty(chat.body, "temperature")
    })
  )

  it.live("is both, where nobody knows what it takes", () =>
    Effect.gen(function* () {
      const settings = { effort: "low", temperature: 0.2, maxTokens: 50 }
      const open = yield* ask("chat", { model: "gemini-3-flash", settings })
      assert.deepInclude(open.body, { reasoning_effort: "low", temperature: 0.2, max_tokens: 50 })
      assert.notProperty((yield* ask("chat", { model: "openai/gpt-4.1", settings })).body, "reasoning_effort")
    })
  )
})

describe("A server that refuses a field that it does not know", () => {
  const strict =
    (unknown: ReadonlyArray<string>): Reply =>
    (response, _request, body) => {
      const [loc] = unknown.filter((name) => name in JSON.parse(body))
      if (loc === undefined) {
        const choice = { index: 0, delta: { content: "Yes." }, finish_reason: "stop" }
        response.writeHead(200, { "content-type": "text/event-stream" })
        return response.end(`data: ${JSON.stringify({ choices: [choice] })}\n\ndata: [DONE]\n\n`)
      }
      const error = { type: "extra_forbidden", message: `Extra inputs are not permitted: ${loc}` }
      return response.writeHead(422, { "content-type": "application/json" }).end(JSON.stringify({ error }))
    }
  const settings = { effort: "low", temperature: 0.2 }
  const request: ModelRequest = { model: "m", instructions: [], history: [user], tools: [], settings, cacheKey: "k" }

  it.live("is asked without it, from then on", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = strict(["stream_options", "reasoning_effort"])
      const client = makes.chat(provider.url)
      const ask = Effect.suspend(() => Stream.runCollect(client.stream(request)))
      assert.deepInclude([...(yield* ask)].at(-1), { _tag: "Ended", stop: "end_turn" })
      assert.lengthOf(provider.asked, 3)
      assert.deepInclude(JSON.parse(provider.asked[2]!), { temperature: 0.2 })
      yield* ask
      assert.lengthOf(provider.asked, 4)
      assert.deepStrictEqual(client.leavesOut?.(request), ["m takes no effort"])
    })
  )

  it.live("and of which nothing can be left out is not asked again", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = strict(["messages"])
      const result = yield* Effect.result(Stream.runCollect(makes.chat(provider.url).stream(request)))
      assert.deepStrictEqual(Result.isFailure(result) && result.failure.trouble, { _tag: "Refused", status: 422 })
      assert.lengthOf(provider.asked, 1)
    })
  )
})

describe("The words of the system within a conversation", () => {
  it.live("are a user's where models take the system's at the beginning alone", () =>
    Effect.gen(function* () {
      const system: HistoryItem = { type: "system", inputId: "sevt_1" as EventId, content: text("Be kind.") }
      const note: HistoryItem = { type: "note", code: "working_copy_rewound", text: "It is gone." }
      const { body } = yield* ask("chat", { model: "m", history: [user, system, note] })
      const messages = body["messages"] as unknown as ReadonlyArray<{ readonly role: string; readonly content: string }>
      assert.deepStrictEqual(
        messages.map(({ role }) => role),
        ["system", "user", "user", "user"]
      )
      assert.include(messages[2]!.content, "Be kind.")
      assert.include(messages[3]!.content, "It is gone.")
    })
  )
})

describe("The schema that answers are to fit", () => {
  it.live("reaches each interface in its own words", () =>
    Effect.gen(function* () {
      const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
      const settings = { output: { name: "answer", schema } }
      const format = { type: "json_schema", name: "answer", schema, strict: true }
      const messages = yield* ask("messages", { model: "claude-sonnet-4-6", settings })
      assert.deepStrictEqual(messages.body["output_config"], { format: { type: "json_schema", schema } })
      const responses = yield* ask("responses", { model: "gpt-4.1", settings })
      assert.deepStrictEqual(responses.body["text"], { format })
      const chat = yield* ask("chat", { model: "gpt-4.1", settings })
      const { type, ...json_schema } = format
      assert.deepStrictEqual(chat.body["response_format"], { type, json_schema })
    })
  )
})

describe("A conversation that another model began", () => {
  const call = (n: number, providerCallId: string, input: Json): ReadonlyArray<HistoryItem> => {
    const callId = `sevt_${n}` as EventId
    const result = { callId, providerCallId, outcome: "succeeded", content: text("seen"), isError: false } as const
    return [
      { type: "tool_call", callId, requestId: null, providerCallId, name: "look", server: null, input },
      { type: "tool_result", ...result }
    ]
  }
  const history = [
    user,
    ...call(1, "call_0", { n: 1 }),
    ...call(2, "call_0", '{"n": 2'),
    ...call(3, `functions.look:0 ${"x".repeat(60)}`, { n: 3 })
  ]
  const ids = ["call_0", "sevt_2", "sevt_3"]
  const inputs = [{ n: 1 }, { value: '{"n": 2' }, { n: 3 }]
  type Item = Readonly<Record<string, Json>>

  it.live("has calls with one id each, of a shape that is taken, and arguments that are objects", () =>
    Effect.gen(function* () {
      const messages = (yield* ask("messages", { model: "claude-test", history })).body["messages"] as unknown
      const blocks = (messages as ReadonlyArray<{ readonly content: ReadonlyArray<Item> }>).flatMap(
        (one) => one.content
      )
      const uses = blocks.filter(({ type }) => type === "tool_use")
      assert.deepStrictEqual(
        uses.map(({ id, input }) => [id, input]),
        ids.map((id, index) => [id, inputs[index]!])
      )
      assert.deepStrictEqual(
        blocks.flatMap(({ tool_use_id = null }) => tool_use_id ?? []),
        ids
      )

      const items = (yield* ask("responses", { model: "gpt-4.1", history })).body[
        "input"
      ] as unknown as ReadonlyArray<Item>
      const calls = items.filter(({ type }) => type === "function_call")
      assert.deepStrictEqual(
        calls.map((one) => [one["call_id"], JSON.parse(one["arguments"] as string)]),
        ids.map((id, index) => [id, inputs[index]])
      )
      assert.deepStrictEqual(
        items.filter(({ type }) => type === "function_call_output").map((one) => one["call_id"]),
        ids
      )

      const said = (yield* ask("chat", { model: "some-model", history })).body[
        "messages"
      ] as unknown as ReadonlyArray<Item>
      const asked = said.flatMap((one) => (one["tool_calls"] ?? []) as unknown as ReadonlyArray<Item>)
      assert.deepStrictEqual(
        asked.map((one) => [one["id"], JSON.parse((one["function"] as unknown as Item)["arguments"] as string)]),
        ids.map((id, index) => [id, inputs[index]])
      )
      assert.deepStrictEqual(
        said.flatMap(({ tool_call_id = null }) => tool_call_id ?? []),
        ids
      )
    })
  )

  it.live("has ids of nine letters and digits for Mistral's models, the same in each request", () =>
    Effect.gen(function* () {
      const own: ReadonlyArray<HistoryItem> = [...history, ...call(4, "D681PevKs", { n: 4 })]
      const idsIn = (body: Readonly<Record<string, Json>>) => {
        const messages = body["messages"] as unknown as ReadonlyArray<Item>
        const calls = messages.flatMap((one) => (one["tool_calls"] ?? []) as unknown as ReadonlyArray<Item>)
        const told = messages.flatMap(({ tool_call_id = null }) => tool_call_id ?? [])
        assert.deepStrictEqual(
          calls.map(({ id }) => id!),
          told
        )
        return told as ReadonlyArray<string>
      }
      const sent = idsIn((yield* ask("chat", { model: "mistral-large-latest", history: own })).body)
      for (const id of sent) assert.match(id, /^[A-Za-z0-9]{9}$/)
      assert.strictEqual(new Set(sent).size, 4)
      assert.strictEqual(sent[3], "D681PevKs")
      const next = idsIn((yield* ask("chat", { model: "mistral/devstral", history: [...own, user] })).body)
      assert.deepStrictEqual(next, sent)

      // By another name it is found out when it refuses the ids of others.
      const provider = yield* faultyProvider
      provider.reply = (response) => {
        const message = "Tool call id was call_0 but must be a-z, A-Z, 0-9, with a length of 9."
        response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: { message } }))
      }
      const request = { model: "ours", instructions: [], history: own, tools: [], settings: {}, cacheKey: "k" }
      yield* Effect.result(Stream.runCollect(makes.chat(provider.url).stream(request)))
      assert.deepStrictEqual(
        provider.asked.map((text) => idsIn(JSON.parse(text) as Readonly<Record<string, Json>>)),
        [[...ids, "D681PevKs"], sent]
      )
    })
  )

  it.live("has what was thought told to none but whoever thought it", () =>
    Effect.gen(function* () {
      const item = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed" }
      const thought = (by: string): HistoryItem => {
        const opaque = { provider: "openai", by, item }
        return { type: "thinking", blockId: "sevt_9" as EventId, requestId: "mreq_1" as never, text: null, opaque }
      }
      const thinks = (model: string, by: string) =>
        Effect.map(ask("responses", { model, history: [user, thought(by), user] }), ({ body }) =>
          JSON.stringify(body["input"]).includes("sealed")
        )
      assert.isTrue(yield* thinks("gpt-5-mini", "openai"))
      assert.isFalse(yield* thinks("gpt-5-mini", "azure"))
      assert.isFalse(yield* thinks("gpt-4.1", "openai"))
    })
  )
})

describe("What goes wrong in the middle of an answer", () => {
  const events =
    (...data: ReadonlyArray<readonly [string, object]>): Reply =>
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.end(data.map(([name, one]) => `event: ${name}\ndata: ${JSON.stringify(one)}\n\n`).join(""))
    }
  const trouble = (by: Interface, reply: Reply) =>
    Effect.map(ask(by, { model: "m", reply }), ({ result }) =>
      Result.isFailure(result) ? result.failure.trouble : "It went well"
    )

  it.live("is told apart by the name that it has there", () =>
    Effect.gen(function* () {
      const anthropic = (type: string) =>
        trouble("messages", events(["error", { type: "error", error: { type, message: "sorry" } }]))
      assert.deepStrictEqual(yield* anthropic("overloaded_error"), { _tag: "Busy", status: 529, retryAfterMs: null })
      assert.deepStrictEqual(yield* anthropic("api_error"), { _tag: "Broken", status: 500 })
      assert.deepStrictEqual(yield* anthropic("invalid_request_error"), { _tag: "Refused", status: 400 })
      const chat = (error: object) => trouble("chat", events(["message", { error }]))
      const busy = { type: "requests", code: "rate_limit_exceeded", message: "sorry" }
      assert.deepStrictEqual(yield* chat(busy), { _tag: "Busy", status: 429, retryAfterMs: null })
      const long = { type: "invalid_request_error", code: "context_length_exceeded", message: "sorry" }
      assert.deepStrictEqual(yield* chat(long), { _tag: "ContextTooLong" })
      const failed = (code: string) =>
        trouble(
          "responses",
          events(["message", { type: "response.failed", response: { error: { code, message: "x" } } }])
        )
      assert.deepStrictEqual(yield* failed("insufficient_quota"), { _tag: "Unpaid" })
      assert.deepStrictEqual(yield* failed("invalid_prompt"), { _tag: "Refused", status: 400 })
      assert.deepStrictEqual(yield* failed("server_error"), { _tag: "Broken", status: 500 })
    })
  )

  it.live("is no price for another speed, where it is known for the usual one alone", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      const used = { input_tokens: 1_000, output_tokens: 0, speed: "fast" }
      provider.reply = events(
        ["message_start", { type: "message_start", message: { usage: used } }],
        ["message_stop", { type: "message_stop" }]
      )
      const client = makes.messages(provider.url)
      const price = { input: 1_000_000, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
      const costs = (fast: { readonly fastPrice?: null }) =>
        Effect.gen(function* () {
          const chosen = { client, model: "claude-opus-4-6", price, ...fast }
          const harness = OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed(chosen)) })
          const fake = FakeRun.make({ model: "m", history: [user], settings: { speed: "fast" } })
          yield* harness.run(fake.run)
          return fake.frames.flatMap((body) => (body._tag === "ModelRequestEnded" ? [body.usage.costMicroUsd] : []))
        })
      assert.deepStrictEqual(yield* costs({ fastPrice: null }), [null])
      assert.deepStrictEqual(yield* costs({}), [1_000])
    })
  )

  it.live("is told as the bill's where it is", () =>
    Effect.gen(function* () {
      const says =
        (status: number, error: object): Reply =>
        (response) =>
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }))
      const quota = { code: "insufficient_quota", message: "You exceeded your current quota" }
      assert.deepStrictEqual(yield* trouble("chat", says(429, quota)), { _tag: "Unpaid" })
      const low = { type: "invalid_request_error", message: "Your credit balance is too low" }
      assert.deepStrictEqual(yield* trouble("messages", says(400, low)), { _tag: "Unpaid" })
      assert.deepStrictEqual(yield* trouble("responses", says(402, {})), { _tag: "Unpaid" })
    })
  )

  it.live("may be a refusal, with what the provider says of it", () =>
    Effect.gen(function* () {
      const stop_details = { type: "refusal", category: "cyber", explanation: "No." }
      const reply = events(
        ["message_start", { type: "message_start", message: { usage: { input_tokens: 1, output_tokens: 1 } } }],
        ["message_delta", { type: "message_delta", delta: { stop_reason: "refusal", stop_details }, usage: {} }],
        ["message_stop", { type: "message_stop" }]
      )
      const refused = yield* ask("messages", { model: "m", reply })
      const [end] = [...Result.getOrThrow(refused.result)].slice(-1)
      assert.deepInclude(end, { stop: "refusal", details: { category: "cyber", explanation: "No." } })

      const chunk = (delta: object, finish_reason: string | null) => ({ choices: [{ index: 0, delta, finish_reason }] })
      const chat = yield* ask("chat", {
        model: "m",
        reply: events(["message", chunk({ refusal: "I won't." }, null)], ["message", chunk({}, "stop")])
      })
      assert.deepInclude([...Result.getOrThrow(chat.result)].at(-1), { stop: "refusal" })
    })
  )
})
