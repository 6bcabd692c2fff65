import { assert, describe, it } from "@effect/vitest"
import type { Ask } from "@troupe/domain/runner/Asks"
import { Effect, Fiber, Stream } from "effect"
import { AskDesk } from "../../src/attempt/AskDesk.ts"
import { Signal } from "../../src/attempt/Signal.ts"
import { attemptId, eventId, runRequest, sessionId } from "../support/requests.ts"

const question = (askId: string): Ask => ({
  askId,
  sessionId: sessionId(1),
  threadId: runRequest(1).threadId,
  attemptId: attemptId(1),
  ticket: "ticket",
  body: { _tag: "PlatformCall", callId: eventId(1), tool: "schedule", input: {} }
})

const listen = Effect.fnUntraced(function* (desk: AskDesk["Service"]) {
  const heard: Array<string> = []
  const signal = new Signal()
  const fiber = yield* Effect.forkScoped(
    Stream.runForEach(desk.open, ({ askId }) =>
      Effect.sync(() => {
        heard.push(askId)
        signal.touch()
      })
    )
  )
  return { heard, fiber, until: (count: number) => signal.until(() => heard.length >= count) }
})

describe("What an attempt asks", () => {
  it.effect("is told to every new link until it is answered", () =>
    Effect.gen(function* () {
      const desk = yield* AskDesk
      const first = yield* listen(desk)
      const one = yield* Effect.forkScoped(desk.ask(question("one")))
      const two = yield* Effect.forkScoped(desk.ask(question("two")))
      yield* first.until(2)
      const answer = { _tag: "Result", content: [], isError: false } as const
      yield* desk.answer("one", answer)
      yield* desk.answer("one", answer)
      yield* desk.answer("nobody asked", answer)
      assert.deepStrictEqual(yield* Fiber.join(one), answer)
      const second = yield* listen(desk)
      yield* second.until(1)
      yield* Fiber.join(first.fiber)
      assert.deepStrictEqual([first.heard, second.heard], [["one", "two"], ["two"]])
      // Whoever asked is gone, and with it the question.
      yield* Fiber.interrupt(two)
      const third = yield* listen(desk)
      const last = yield* Effect.forkScoped(desk.ask(question("three")))
      yield* third.until(1)
      assert.deepStrictEqual(third.heard, ["three"])
      yield* Fiber.interrupt(last)
    }).pipe(Effect.provide(AskDesk.layer), Effect.scoped)
  )
})
