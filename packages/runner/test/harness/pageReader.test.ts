import { assert, describe, it } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import { Effect, Result, Stream } from "effect"
import { pageReader } from "../../src/harness/model/pageReader.ts"
import type { ModelClient, ModelRequest } from "../../src/models/ModelClient.ts"
import * as FakeRun from "./FakeRun.ts"

const usage = {
  inputTokens: 100,
  outputTokens: 5,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0
}

const callId = "sevt_call" as EventId
const page = { url: "https://example.com", text: "The page.", prompt: "What is it?" }

/** A model that answers with what it was asked. */
const echo = (asked: Array<ModelRequest>): ModelClient => ({
  provider: "echo",
  probe: Effect.succeed({ usable: true, notes: [], models: [] }),
  facts: () => ({ contextTokens: 1_000, outputTokens: 100 }),
  stream: (request) => {
    asked.push(request)
    return Stream.make(
      { _tag: "Text", index: 0, text: "The answer is 42." } as const,
      { _tag: "Ended", stop: "end_turn", usage } as const
    )
  }
})

describe("an auxiliary model that reads pages", () => {
  it.effect("answers from the page, and its request is on record with what it used", () =>
    Effect.gen(function* () {
      const fake = FakeRun.make({ model: "main", history: [] })
      const asked: Array<ModelRequest> = []
      const choose = Effect.succeed(Result.succeed({ client: echo(asked), model: "small", price: null }))
      const { summarize } = pageReader({ ...fake.run, choose, cacheKey: "pages" })
      const said = yield* summarize(page, callId)
      assert.strictEqual(said, "The answer is 42.")
      assert.include(JSON.stringify(asked[0]?.history), "The page.")
      assert.deepStrictEqual(
        fake.frames.map(({ _tag }) => _tag),
        ["SubagentStarted", "ModelRequestStarted", "ModelRequestEnded", "SubagentEnded"]
      )
      const [began, request, , over] = fake.frames as ReadonlyArray<Record<string, unknown>>
      const { subagentId } = began!
      assert.deepInclude(began, {
        name: "page_reader",
        task: "https://example.com: What is it?",
        callId,
        parentId: null
      })
      assert.strictEqual(request!["subagentId"], subagentId)
      assert.deepInclude(over, { subagentId, outcome: "succeeded", summary: "The answer is 42." })
      const ended = fake.frames.flatMap((body) => (body._tag === "ModelRequestEnded" ? [body.usage.inputTokens] : []))
      assert.deepStrictEqual(ended, [100])
    })
  )

  it.effect("is asked nothing beyond the limits of the turn", () =>
    Effect.gen(function* () {
      const limit = { metric: "tokens", max: 90, enforcement: "hard", scope: "turn" } as const
      const fake = FakeRun.make({ model: "main", history: [], budget: [limit] })
      const asked: Array<ModelRequest> = []
      const choose = Effect.succeed(Result.succeed({ client: echo(asked), model: "small", price: null }))
      const { summarize } = pageReader({ ...fake.run, choose, cacheKey: "pages" })
      yield* summarize(page, callId)
      const failure = yield* Effect.flip(summarize(page, callId))
      assert.include(failure.message, "budget")
      assert.lengthOf(asked, 1)
    })
  )

  it.effect("says why it can't", () =>
    Effect.gen(function* () {
      const fake = FakeRun.make({ model: "main", history: [] })
      const choose = Effect.succeed(Result.fail({ code: "model_unknown", message: "There is no such model" }))
      const { summarize } = pageReader({ ...fake.run, choose, cacheKey: "pages" })
      const failure = yield* Effect.flip(summarize(page, callId))
      assert.include(failure.message, "There is no such model")
      assert.deepStrictEqual(fake.frames, [])
    })
  )
})
