import { assert, describe, it } from "@effect/vitest"
import { noTotals } from "@troupe/domain/session/Usage"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Spending } from "../../src/harness/Spending.ts"
import { judgementIn, modelClassifier } from "../../src/harness/model/modelClassifier.ts"
import { type ModelClient, ModelError, type ModelEvent } from "../../src/models/ModelClient.ts"
import { MemoryFrames } from "../tools/MemoryFrames.ts"

const answers = (stream: Stream.Stream<ModelEvent, ModelError>): ModelClient => ({
  provider: "test",
  probe: Effect.succeed({ usable: true, notes: [], models: [] }),
  facts: () => ({ contextTokens: 1_000, outputTokens: 100 }),
  stream: () => stream
})

const says = (text: string) =>
  answers(Stream.make({ _tag: "Text", index: 0, text }, { _tag: "Ended", stop: "end_turn", usage: null }))

const spendingOf = (modelRequests: number) =>
  new Spending({
    request: {
      budget: [{ metric: "model_requests", max: 1, enforcement: "hard", scope: "session" }],
      used: { session: { ...noTotals, modelRequests }, turn: noTotals },
      calls: []
    },
    now: () => 0
  })

const classifier = (client: ModelClient | null, spending = spendingOf(0)) => {
  const frames = new MemoryFrames()
  const choose = Effect.succeed(client === null ? null : { client, model: "small", price: null })
  return { frames, judge: modelClassifier({ choose, frames: spending.counting(frames), spending, cacheKey: "k" }) }
}

const call = { name: "bash", input: { command: "ls" } }

describe("A model's word on a call", () => {
  it("counts only if it is exactly what was asked for", () => {
    assert.deepStrictEqual(judgementIn(' {"risk":"low","reason":"it lists"}\n'), { risk: "low", reason: "it lists" })
    assert.deepStrictEqual(judgementIn('{"risk":"high"}'), { risk: "high", reason: null })
    for (const said of [
      "",
      "low",
      '{"risk":"none"}',
      '{"risk":"low"} and more',
      '```json\n{"risk":"low"}\n```',
      '{"risk":"low","allow":true}',
      '["low"]',
      "null"
    ]) {
      assert.isNull(judgementIn(said), said)
    }
  })

  it.effect("is had by a request that is on record, and shown to nobody", () =>
    Effect.gen(function* () {
      const { frames, judge } = classifier(says('{"risk":"low","reason":null}'))
      assert.deepStrictEqual(yield* judge(call), { risk: "low", reason: null })
      assert.deepStrictEqual(frames.tags(), ["ModelRequestStarted", "ModelRequestEnded"])
    })
  )

  it.effect("counts against the limits of the turn that it is for, and is not asked for beyond them", () =>
    Effect.gen(function* () {
      const spending = spendingOf(0)
      const { frames, judge } = classifier(says('{"risk":"low"}'), spending)
      assert.strictEqual((yield* judge(call))?.risk, "low")
      assert.isTrue(spending.isSpent)
      assert.isNull(yield* judge(call))
      assert.lengthOf(frames.tags(), 2)
    })
  )

  it.effect("is none where the request fails, hangs or is too much for it, or there is no model", () =>
    Effect.gen(function* () {
      const trouble = { _tag: "Broken", status: 500 } as const
      const failing = answers(Stream.fail(new ModelError({ provider: "test", model: "small", trouble, detail: "x" })))
      assert.isNull(yield* classifier(failing).judge(call))
      assert.isNull(yield* classifier(null).judge(call))
      assert.isNull(yield* classifier(says('{"risk":"low"}')).judge({ ...call, input: "x".repeat(9_000) }))
      const hanging = classifier(answers(Stream.never))
      const judging = yield* Effect.forkChild(hanging.judge(call))
      yield* TestClock.adjust("31 seconds")
      assert.isNull(yield* Fiber.join(judging))
      assert.deepStrictEqual(hanging.frames.tags(), ["ModelRequestStarted", "ModelRequestEnded"])
    })
  )
})
