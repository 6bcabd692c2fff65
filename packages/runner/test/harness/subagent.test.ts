import { assert, describe, it } from "@effect/vitest"
import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { Deferred, Effect, Fiber } from "effect"
import { subagent } from "../../src/harness/subagent.ts"
import * as FakeRun from "./FakeRun.ts"

const callId = "sevt_call" as EventId
const helper = { name: "helper", task: "Look it up", callId }
const request = { _tag: "ModelRequestStarted", requestId: "mreq" as ModelRequestId } as FrameBody

const fake = () => FakeRun.make({ model: "main", history: [] })
const ends = (frames: ReadonlyArray<FrameBody>) =>
  frames.flatMap((body) => (body._tag === "SubagentEnded" ? [[body.outcome, body.summary] as const] : []))

describe("A sub-agent", () => {
  it.effect("may begin others, and each request is of the one that asks", () =>
    Effect.gen(function* () {
      const { frames, run } = fake()
      const said = yield* subagent(run.frames, helper, (own, parentId) =>
        Effect.gen(function* () {
          const inner = yield* subagent(own, { ...helper, callId: null, parentId }, (frames) =>
            Effect.as(frames.emit(request), "within")
          )
          yield* own.say(request)
          return `${inner}, without`
        })
      )
      assert.strictEqual(said, "within, without")
      const [outer, inner, ofInner, , ofOuter] = frames as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(inner, { parentId: outer!["subagentId"], callId: null })
      assert.strictEqual(ofInner!["subagentId"], inner!["subagentId"])
      assert.strictEqual(ofOuter!["subagentId"], outer!["subagentId"])
      assert.deepStrictEqual(ends(frames), [
        ["succeeded", "within"],
        ["succeeded", "within, without"]
      ])
    })
  )

  it.effect("ends in any case: with why it failed, and where it is interrupted", () =>
    Effect.gen(function* () {
      const { frames, run } = fake()
      yield* Effect.flip(subagent(run.frames, helper, () => Effect.fail({ message: "It is away" })))
      yield* Effect.exit(subagent(run.frames, helper, () => Effect.die(new Error("a defect"))))
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        subagent(run.frames, helper, () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(ends(frames), [
        ["failed", "It is away"],
        ["failed", null],
        ["interrupted", null]
      ])
    })
  )

  it.effect("is told by the beginning of what it hands back, which is whole for who had it work", () =>
    Effect.gen(function* () {
      const { frames, run } = fake()
      const whole = "word ".repeat(1_000)
      assert.strictEqual(yield* subagent(run.frames, helper, () => Effect.succeed(whole)), whole)
      assert.strictEqual(ends(frames)[0]![1]!.length, 4_002)
    })
  )
})
