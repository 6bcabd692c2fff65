import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import type { Strategies } from "../../src/harness/model/Strategies.ts"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import { type ModelClient, ModelError, type ModelRequest } from "../../src/models/ModelClient.ts"
import * as FakeRun from "./FakeRun.ts"

const limit = { metric: "cost_micro_usd", max: 5, enforcement: "hard", scope: "session" } as const

/** What a model was asked, and how the attempt ended, with these strategies in the place of the usual ones. */
const driven = Effect.fnUntraced(function* (strategies: Partial<Strategies>, fails = false) {
  const asked: Array<ModelRequest> = []
  const trouble = { _tag: "Broken", status: 500 } as const
  const client: ModelClient = {
    provider: "test",
    probe: Effect.succeed({ usable: true, notes: [], models: [] }),
    facts: () => ({ contextTokens: 10_000, outputTokens: 1_000 }),
    stream: (request) => {
      asked.push(request)
      return fails
        ? Stream.fail(new ModelError({ provider: "test", model: "m", trouble, detail: "no" }))
        : Stream.make({ _tag: "Text", index: 0, text: "Yes." }, { _tag: "Ended", stop: "end_turn", usage: null })
    }
  }
  const choose = () => Effect.succeed(Result.succeed({ client, model: "m", price: null }))
  const tools = { look: () => Effect.succeed("seen") }
  const history = [FakeRun.user("one"), FakeRun.user("two")]
  const fake = FakeRun.make({ model: "m", history, tools, budget: [limit] })
  const end = yield* OpenAiAgents.make({ choose, strategies }).run(fake.run)
  return { asked, end, frames: fake.frames }
})

describe("How a model is driven", () => {
  it.effect("begins with what changes least: the agent, its skills, its memory, the session", () =>
    Effect.gen(function* () {
      const { asked } = yield* driven({})
      assert.deepStrictEqual(
        asked[0]?.instructions.map(({ section }) => section),
        ["agent", "skills", "memory", "session"]
      )
    })
  )

  it.effect("can be replaced part by part", () =>
    Effect.gen(function* () {
      const { asked } = yield* driven({
        prompt: () => [{ section: "agent", text: "Other words." }],
        tools: (catalog) => catalog.map(({ inputSchema }) => ({ name: "other", description: "", inputSchema })),
        context: (history) => history.slice(-1),
        cacheKey: () => "another key"
      })
      const [request] = asked
      assert.deepStrictEqual(request?.instructions, [{ section: "agent", text: "Other words." }])
      assert.deepStrictEqual(
        request?.tools.map(({ name }) => name),
        ["other"]
      )
      assert.lengthOf(request?.history ?? [], 1)
      assert.strictEqual(request?.cacheKey, "another key")

      const summed = yield* driven({ isFull: (tokens) => tokens > 4, summarize: "In one word?" })
      assert.include(JSON.stringify(summed.asked[0]?.history), "In one word?")
      assert.include(
        summed.frames.map(({ _tag }) => _tag),
        "ContextCompacted"
      )

      const stopped = { _tag: "Completed", stop: "max_steps", details: null } as const
      assert.deepStrictEqual((yield* driven({ stop: () => stopped })).end, stopped)

      const error = { code: "ours", message: "Never again" }
      const failed = { _tag: "Failed", error, retryable: false, retryAfterMs: null } as const
      assert.deepStrictEqual((yield* driven({ retry: () => failed }, true)).end, failed)
    })
  )

  it.effect("ends a turn at the most steps of its agent, over all of its attempts", () =>
    Effect.gen(function* () {
      let asked = 0
      const client: ModelClient = {
        provider: "test",
        probe: Effect.succeed({ usable: true, notes: [], models: [] }),
        facts: () => ({ contextTokens: 10_000, outputTokens: 1_000 }),
        stream: () =>
          Stream.make(
            { _tag: "ToolCall", index: 0, providerCallId: `c${++asked}`, name: "look", input: "{}" },
            { _tag: "Ended", stop: "tool_calls", usage: null }
          )
      }
      const choose = () => Effect.succeed(Result.succeed({ client, model: "m", price: null }))
      const ended = (modelRequests: number) => {
        const tools = { look: () => Effect.succeed("seen") }
        const run = FakeRun.make({ model: "m", history: [FakeRun.user("one")], tools, maxSteps: 3, modelRequests })
        return OpenAiAgents.make({ choose }).run(run.run)
      }
      const stopped = { _tag: "Completed", stop: "max_steps", details: { steps: 3 } } as const
      assert.deepStrictEqual(yield* ended(0), stopped)
      assert.strictEqual(asked, 3)
      assert.deepStrictEqual(yield* ended(2), stopped)
      assert.strictEqual(asked, 4)
    })
  )

  it.effect("tells people that a limit on cost does not hold what has no price", () =>
    Effect.gen(function* () {
      const { frames } = yield* driven({})
      const notes = frames.flatMap((body) =>
        body._tag === "Noted" && body.event._tag === "PlatformNoted" ? [[body.event.code, body.event.message]] : []
      )
      assert.deepStrictEqual(notes, [
        ["model_unpriced", "m has no known price: what it costs counts towards no limit on cost"]
      ])
    })
  )
})
