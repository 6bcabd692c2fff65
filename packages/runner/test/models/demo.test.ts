import { assert, describe, it } from "@effect/vitest"
import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import type { ModelEvent, ModelRequest } from "../../src/models/ModelClient.ts"

const user = (message: string): HistoryItem => ({ type: "user", inputId: null, from: null, content: text(message) })

/** What the model is told back of the calls that it made. */
const called = (number: number, result: string, isError = false): ReadonlyArray<HistoryItem> => {
  const callId = `call ${number}` as EventId
  const outcome = isError ? "failed" : "succeeded"
  return [
    {
      type: "tool_call",
      callId,
      requestId: null,
      providerCallId: `demo_${number}`,
      name: "bash",
      server: null,
      input: {}
    },
    { type: "tool_result", callId, providerCallId: `demo_${number}`, outcome, content: text(result), isError }
  ]
}

const assistant = (said: string): HistoryItem => ({
  type: "assistant",
  blockId: "block" as EventId,
  requestId: "request" as ModelRequestId,
  content: text(said),
  partial: false
})

const requestFor = (...history: ReadonlyArray<HistoryItem>): ModelRequest => ({
  model: "demo",
  instructions: [],
  history,
  tools: [],
  settings: {},
  cacheKey: "session"
})

const model = DemoModel.make()
const ask = (...history: ReadonlyArray<HistoryItem>) => Stream.runCollect(model.stream(requestFor(...history)))

const calls = (events: Iterable<ModelEvent>) =>
  [...events].flatMap((event) => (event._tag === "ToolCall" ? [[event.name, JSON.parse(event.input)]] : []))
const said = (events: Iterable<ModelEvent>) =>
  [...events].flatMap((event) => (event._tag === "Text" ? [event.text] : [])).join("\n")
const stop = (events: Iterable<ModelEvent>) =>
  [...events].flatMap((event) => (event._tag === "Ended" ? [event.stop] : []))

describe("the demo model", () => {
  it.effect("takes messages of any length, and repeats only their beginning", () =>
    Effect.gen(function* () {
      const long = "blah ".repeat(200_000)
      assert.isBelow(said(yield* ask(user(long))).length, 3_000)
      const events = yield* ask(user(`say: ${long}`))
      assert.isAtLeast(said(events).length, long.length - 1)
    })
  )

  it.effect("calls the tool that a line tells it to", () =>
    Effect.gen(function* () {
      const events = yield* ask(user("Please\nrun: echo hello"))
      assert.deepStrictEqual(calls(events), [["bash", { command: "echo hello" }]])
      assert.deepStrictEqual(stop(events), ["tool_calls"])
    })
  )

  it.effect("goes through the lines one after another, and then says what came out", () =>
    Effect.gen(function* () {
      const task = user("run: one\nwrite file a.txt some text\nthink: hm\nrun: three")
      assert.deepStrictEqual(calls(yield* ask(task)), [["bash", { command: "one" }]])
      const second = calls(yield* ask(task, ...called(1, "first")))
      assert.deepStrictEqual(second, [["write", { file_path: "a.txt", content: "some text\n" }]])
      const third = yield* ask(task, ...called(1, "first"), ...called(2, "second"))
      assert.deepStrictEqual(calls(third), [["bash", { command: "three" }]])
      assert.include(
        third.map(({ _tag }) => _tag),
        "Thinking"
      )
      const last = yield* ask(task, ...called(1, "first"), ...called(2, "second", true), ...called(3, "third"))
      assert.include(said(last), "first")
      assert.include(said(last), "It went wrong")
      assert.deepStrictEqual(stop(last), ["end_turn"])
    })
  )

  it.effect("says that it is a demo", () =>
    Effect.gen(function* () {
      assert.include(said(yield* ask(user("hello"))), "This is the demo model")
    })
  )

  it.effect("takes a steer into the task under way, and forgets a task that is done", () =>
    Effect.gen(function* () {
      const steered = yield* ask(user("run: one"), ...called(1, "first"), user("run: two"))
      assert.deepStrictEqual(calls(steered), [["bash", { command: "two" }]])
      const next = yield* ask(user("run: one"), ...called(1, "first"), assistant("done"), user("run: new"))
      assert.deepStrictEqual(calls(next), [["bash", { command: "new" }]])
    })
  )

  it.effect("answers the same conversation in the same way, in pieces that make up the whole", () =>
    Effect.gen(function* () {
      const history = [user("say: a few words\nthink: and a thought")]
      const events = yield* ask(...history)
      assert.deepStrictEqual(yield* ask(...history), events)
      const pieces = events.flatMap((event) => (event._tag === "Delta" && event.index === 0 ? [event.text] : []))
      assert.strictEqual(pieces.join(""), "a few words")
    })
  )

  it.effect("fails and refuses when told to", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.result(ask(user("fail")))
      assert.strictEqual(Result.isFailure(failed) && failed.failure.passes, true)
      assert.deepStrictEqual(stop(yield* ask(user("refuse"))), ["refusal"])
    })
  )

  it.effect("speaks at the pace it is given", () =>
    Effect.gen(function* () {
      const slow = DemoModel.make({ paceMs: 10 })
      const fiber = yield* Effect.forkChild(Stream.runCollect(slow.stream(requestFor(user("say: one two three")))))
      yield* TestClock.adjust(20)
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust(60_000)
      assert.include(said(yield* Fiber.join(fiber)), "one two three")
    })
  )
})
