import { assert, describe, it } from "@effect/vitest"
import type { AttemptId, RunnerId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import { CommandRejected, type Refusal, type SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { Clock, Effect, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Activation } from "../../src/session/activate.ts"
import { AttemptUnknown, EpochRefused, type Output } from "@troupe/domain/runner/Attempt"
import { AttemptDriver } from "../../src/session/AttemptDriver.ts"
import * as AttemptFollower from "../../src/session/AttemptFollower.ts"
import { SessionUnavailable, type SessionError } from "../../src/session/SessionErrors.ts"

const attemptId = "att" as AttemptId
const refusal = (reason: Refusal) => new CommandRejected({ command: "RecordFrames", reason })
const unavailable = new SessionUnavailable({ sessionId: "s", retryAfterMs: 1 })
const completed: Output = {
  _tag: "Frames",
  frames: [{ n: 1, at: 0, body: { _tag: "Completed", stopReason: "end_turn" } as never }]
}
const frames = (...numbers: ReadonlyArray<number>): Output => ({
  _tag: "Frames",
  frames: numbers.map((n) => ({ n, at: 0, body: { _tag: "TitleSuggested", title: "t" } }))
})

interface Options {
  readonly fresh?: boolean
  readonly link?: (afterFrame: number) => Stream.Stream<Output, AttemptUnknown | EpochRefused>
  readonly answers?: ReadonlyArray<SessionError | "accepted">
}

/** A follower between a runner and a log that a test plays. */
const make = Effect.fnUntraced(function* ({ answers = [], fresh = false, link }: Options) {
  const clock = yield* Clock.Clock
  const outputs = yield* Queue.unbounded<Output>()
  const seen: Array<string> = []
  const left = [...answers]
  const stream = () => Stream.fromQueue(outputs)
  const driver = AttemptDriver.of({
    place: () => Effect.succeed({ _tag: "Waiting", reason: "" }),
    run: ({ version }) => Stream.unwrap(Effect.sync(() => (seen.push(`run at ${version}`), stream()))),
    attach: (_, after) => Stream.unwrap(Effect.sync(() => (seen.push(`attach ${after}`), link?.(after) ?? stream()))),
    acknowledge: (_, { contact, frame }) =>
      Effect.sync(() => void seen.push(`acknowledge ${frame}${contact === 0 ? "" : `, contact ${contact}`}`)),
    deliver: (_, delivery) => Effect.sync(() => void seen.push(`deliver ${delivery._tag}`)),
    revoke: () => Effect.sync(() => void seen.push("revoke")),
    takeAway: () => Effect.void
  })
  const hooks = { onSend: (_: SessionCommand): void => undefined }
  const follower = AttemptFollower.make({
    sessionId: "sesn" as SessionId,
    attemptId,
    threadId: "sthr" as ThreadId,
    turnId: "turn" as TurnId,
    runnerId: "rnr" as RunnerId,
    fresh,
    traceparent: () => null,
    lostAfterMs: 75_000,
    driver,
    clock,
    reach: () => undefined,
    send: (body) =>
      Effect.suspend(() => {
        seen.push(body._tag)
        hooks.onSend(body)
        const answer = left.shift() ?? "accepted"
        return answer === "accepted" ? Effect.succeed({ _tag: "Accepted", seq: 1, version: 1 }) : Effect.fail(answer)
      }),
    overtaken: () => void seen.push("overtaken"),
    delta: () => undefined
  })
  const update = (frame: number, paused = false) => {
    const phase = { _tag: "Working", attemptId, runnerId: "rnr", frame, startedAt: 0 }
    const turn = { phase, interrupt: null, steers: [], overrides: {}, calls: [] } as unknown as Turn
    const session = { paused, budget: [], grants: [], turns: 1 } as unknown as OpenSession
    follower.update({ epoch: 1, version: 40 } as Activation, session, { turn } as Thread, turn)
  }
  update(0)
  const running = yield* Effect.forkChild(follower.run)
  yield* TestClock.adjust(1)
  return {
    ...{ seen, follower, update, hooks },
    isOver: () => running.pollUnsafe() !== undefined,
    say: (output: Output) => Queue.offer(outputs, output)
  }
})

describe("the follower of an attempt", () => {
  it.effect("says with each sign of life that it was heard, and again how far the log goes", () =>
    Effect.gen(function* () {
      const { hooks, say, seen, update } = yield* make({ fresh: true })
      hooks.onSend = () => update(2)
      yield* say({ _tag: "Contact", contact: 1 })
      yield* say(frames(1, 2))
      yield* say({ _tag: "Contact", contact: 2 })
      yield* TestClock.adjust(1)
      const acknowledged = ["acknowledge 2, contact 1", "acknowledge 2, contact 2"]
      assert.deepStrictEqual(seen, ["run at 40", "acknowledge 0, contact 1", "RecordFrames", ...acknowledged])
    })
  )

  it.effect("has a fresh attempt run on the log as it is, and acknowledges what is recorded", () =>
    Effect.gen(function* () {
      const { hooks, say, seen, update } = yield* make({ fresh: true })
      hooks.onSend = () => update(2)
      yield* say(frames(1, 2))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, ["run at 40", "RecordFrames", "acknowledge 2"])
    })
  )

  it.effect("gives an attempt up only once the log has taken that, and tells the runner then", () =>
    Effect.gen(function* () {
      const { follower, hooks, seen } = yield* make({ answers: [unavailable, unavailable, "accepted"] })
      let losses = 0
      hooks.onSend = () => {
        if (++losses === 3) follower.end()
      }
      // The link is open, and nothing is heard.
      yield* TestClock.adjust("74 seconds")
      assert.deepStrictEqual(seen, ["attach 0"])
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(
        seen.filter((what) => !what.startsWith("attach")),
        ["LoseAttempt", "LoseAttempt", "LoseAttempt", "revoke"]
      )
    })
  )

  it.effect("has an attempt run that its runner has never heard of, unless its frames are in the log", () =>
    Effect.gen(function* () {
      const link = () => Stream.fail(new AttemptUnknown({ attemptId }))
      const unheard = yield* make({ link })
      assert.deepStrictEqual(unheard.seen, ["attach 0", "run at 40"])
      const forgotten = yield* make({ link: (after) => (after === 0 ? Stream.make(frames(1)) : link()) })
      forgotten.update(1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(forgotten.seen.slice(-3), ["attach 1", "LoseAttempt", "revoke"])
    })
  )

  it.effect("stops a runner whose attempt ended in the log while it was still saying something", () =>
    Effect.gen(function* () {
      const { follower, hooks, say, seen } = yield* make({})
      hooks.onSend = () => follower.end()
      yield* say(frames(1))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, ["attach 0", "RecordFrames", "acknowledge 1", "revoke"])
    })
  )

  it.effect("waits for its runner to end the link, once the end of the attempt is in the log", () =>
    Effect.gen(function* () {
      const { follower, hooks, isOver, say, seen } = yield* make({})
      hooks.onSend = () => follower.end()
      yield* say(completed)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([seen, isOver()], [["attach 0", "RecordFrames", "acknowledge 1"], false])
      // It did not hear that, or it would say nothing more.
      yield* say({ _tag: "Contact", contact: 3 })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([seen.length, isOver()], [3, true])
    })
  )

  it.effect("stops a runner whose attempt the server ended", () =>
    Effect.gen(function* () {
      const { follower, seen } = yield* make({})
      follower.end()
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, ["attach 0", "revoke"])
    })
  )

  it.effect("attaches anew after a hole, and gives up who breaks the protocol or can't be stored", () =>
    Effect.gen(function* () {
      const hole = yield* make({ answers: [refusal({ _tag: "FrameHole", expected: 1, got: 2 })] })
      yield* hole.say(frames(2))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(hole.seen, ["attach 0", "RecordFrames", "attach 0"])
      const broken = yield* make({ answers: [refusal({ _tag: "ProtocolViolation", frame: 1, detail: "no" })] })
      yield* broken.say(frames(1))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(broken.seen, ["attach 0", "RecordFrames", "LoseAttempt", "revoke"])
    })
  )

  it.effect("leaves everything as it is where a newer owner was seen", () =>
    Effect.gen(function* () {
      const link = () => Stream.fail(new EpochRefused({ sessionId: "sesn", epoch: 1, seen: 2 }))
      const { seen } = yield* make({ link })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(seen, ["attach 0", "overtaken"])
    })
  )

  it.effect("delivers what is wanted once, and again when it is wanted again", () =>
    Effect.gen(function* () {
      const { seen, update } = yield* make({})
      for (const paused of [true, true, false, true]) {
        update(0, paused)
        yield* TestClock.adjust(1)
      }
      assert.deepStrictEqual(seen, ["attach 0", "deliver Stop", "deliver Stop"])
    })
  )
})
