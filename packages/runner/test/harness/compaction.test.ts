import { assert, describe, it } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Result, Stream } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import { transcript } from "../../src/harness/model/transcript.ts"
import { type ModelClient, ModelError, type ModelEvent, type ModelRequest } from "../../src/models/ModelClient.ts"
import * as FakeRun from "./FakeRun.ts"

const says = (words: string): Stream.Stream<ModelEvent> =>
  Stream.make(
    { _tag: "Text", index: 0, text: words } as const,
    { _tag: "Ended", stop: "end_turn", usage: null } as const
  )

const fails = (trouble: ModelError["trouble"]) =>
  Stream.fail(new ModelError({ provider: "test", model: "m", trouble, detail: "too long, or not yours" }))

/** A model whose window is counted in characters by its server, whatever anybody else thinks. */
const serverOf = (
  lengthMax: number,
  answer: (request: ModelRequest) => Stream.Stream<ModelEvent, ModelError> = () => says("They talked.")
) => {
  const asked: Array<ModelRequest> = []
  const client: ModelClient = {
    provider: "test",
    probe: Effect.succeed({ usable: true, notes: [], models: [] }),
    facts: () => ({ contextTokens: 10_000, outputTokens: 1_000 }),
    stream: (request) => {
      asked.push(request)
      return JSON.stringify(request.history).length > lengthMax ? fails({ _tag: "ContextTooLong" }) : answer(request)
    }
  }
  return { asked, client }
}

const harnessOver = (models: Readonly<Record<string, ModelClient>>) =>
  OpenAiAgents.make({
    choose: (model) => Effect.succeed(Result.succeed({ client: models[model]!, model, price: null }))
  })

const calling = (n: number, result: string): ReadonlyArray<HistoryItem> => {
  const callId = `sevt_${n}` as EventId
  return [
    { type: "tool_call", callId, requestId: null, providerCallId: `c${n}`, name: "look", server: null, input: { n } },
    {
      type: "tool_result",
      callId,
      providerCallId: `c${n}`,
      outcome: "succeeded",
      content: text(result),
      isError: false
    }
  ]
}

const summaries = (fake: ReturnType<typeof FakeRun.make>) =>
  fake.frames.flatMap((body) => (body._tag === "ContextCompacted" ? [body.summary] : []))
const look = () => Effect.succeed("seen")
const completed = { _tag: "Completed", stop: "end_turn", details: null } as const

describe("A conversation that does not fit", () => {
  it.live("is summed up with the tools that it called, which are not to be called", () =>
    Effect.gen(function* () {
      const { asked, client } = serverOf(Infinity)
      const history = [FakeRun.user("look around"), ...calling(1, "y".repeat(34_000)), FakeRun.user("and now?")]
      const fake = FakeRun.make({ model: "main", history, tools: { look } })
      assert.deepStrictEqual(yield* harnessOver({ main: client }).run(fake.run), completed)
      const [summing, answering] = asked
      assert.deepStrictEqual(summing?.tools, answering?.tools)
      assert.deepStrictEqual(summing?.instructions, answering?.instructions)
      assert.deepStrictEqual(summing?.settings, { toolChoice: "none" })
      assert.deepStrictEqual(summaries(fake), [text("They talked.")])
    })
  )

  it.live("nor does it for whoever sums it up, is summed up from as much as does", () =>
    Effect.gen(function* () {
      // A character to a token: far more than is guessed.
      const { asked, client } = serverOf(9_000)
      const history = [FakeRun.user("begin"), ...calling(1, "z".repeat(20_000)), FakeRun.user("and in the end")]
      const fake = FakeRun.make({ model: "main", history, tools: { look } })
      assert.deepStrictEqual(yield* harnessOver({ main: client }).run(fake.run), completed)
      assert.deepStrictEqual(summaries(fake), [text("They talked.")])
      const told = JSON.stringify(asked.at(-2)?.history)
      for (const part of ["begin", "Call of look", "are left out here", "and in the end"]) assert.include(told, part)
      assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
    })
  )

  it.live("goes on with its end where a model has no words for it", () =>
    Effect.gen(function* () {
      const { client } = serverOf(Infinity, ({ settings }) =>
        says(settings.toolChoice === "none" ? " " : "Still here.")
      )
      const history = [FakeRun.user(`much ${"talk ".repeat(7_000)}`), FakeRun.user("remember the green door")]
      const fake = FakeRun.make({ model: "main", history })
      assert.deepStrictEqual(yield* harnessOver({ main: client }).run(fake.run), completed)
      assert.include(JSON.stringify(summaries(fake)), "the green door")
      assert.deepStrictEqual(FakeRun.said(fake.frames), ["Still here."])
    })
  )

  it.live("is summed up by the agent's own model where the one for that can't be had, and people are told", () =>
    Effect.gen(function* () {
      const { client } = serverOf(Infinity)
      const denied = serverOf(Infinity, () => fails({ _tag: "Denied", status: 401 })).client
      const history = [FakeRun.user(`much ${"talk ".repeat(7_000)}`)]
      const fake = FakeRun.make({ model: "main", aux: "small", history })
      assert.deepStrictEqual(yield* harnessOver({ main: client, small: denied }).run(fake.run), completed)
      assert.deepStrictEqual(summaries(fake), [text("They talked.")])
      const notes = fake.frames.flatMap((body) =>
        body._tag === "Noted" && body.event._tag === "PlatformNoted" ? [body.event.code] : []
      )
      assert.deepStrictEqual(notes, ["summary_failed"])
    })
  )
})

describe("The text of a conversation", () => {
  it("is no longer than it may be, and says what it leaves out", () => {
    const history = Array.from({ length: 50 }, (_, n) => calling(n, `${n} ${"word ".repeat(1_000)}`)).flat()
    const told = transcript([FakeRun.user("first"), ...history, FakeRun.user("last")], 5_000)
    assert.isAtMost(told.length, 5_000)
    assert.match(told, /^User:\nfirst[^]*left out here[^]*User:\nlast$/)
  })
})
