import { assert, describe, it } from "@effect/vitest"
import { after } from "../given.ts"
import type { Story } from "../given.ts"
import {
  asked,
  callId,
  completed,
  confirmation,
  failed,
  finished,
  forClient,
  frames,
  lose,
  message,
  open,
  pause,
  requested,
  requestEnded,
  requestStarted,
  result,
  resume,
  retry,
  send,
  start,
  started,
  suspended,
  turnId,
  withdraw
} from "../make.ts"

const working = after(open(), send(message(1)), start(1))
/** Attempts of the first turn fail until it has used them up. */
const twice = (story: Story) =>
  story
    .and(frames(1, 1, failed(true)))
    .later(1_000)
    .and(start(1, 2), frames(2, 1, failed(true)))
    .later(2_000)

describe("a failed attempt", () => {
  it("is tried again after a while that doubles", () => {
    const at = working.now
    working
      .when(frames(1, 1, failed(true)))
      .thenEvents(
        { _tag: "AttemptTroubled", retryStatus: "retrying", frame: 1 },
        { _tag: "TurnRescheduled", failures: 1, notBefore: at + 1_000 },
        "StatusChanged"
      )
      .hasStatus("rescheduling")
      .when(start(1, 2))
      .thenRejected("NotDue")
      .later(1_000)
      .and(start(1, 2))
      .when(frames(2, 1, failed(true)))
      .thenEvent({ _tag: "TurnRescheduled", failures: 2 })
  })

  it("waits as long as the provider asks, within an hour", () => {
    const at = working.now
    for (const [asks, waits] of [
      [5_000, 5_000],
      [-5, 0],
      [Number.MAX_SAFE_INTEGER, 3_600_000]
    ] as const) {
      working.when(frames(1, 1, failed(true, asks))).thenEvent({ _tag: "TurnRescheduled", notBefore: at + waits })
    }
  })

  it("ends the turn when it was the third, and the next one begins", () => {
    twice(working)
      .and(start(1, 3), send(message(2)))
      .when(frames(3, 1, failed(true)))
      .thenEvents(
        { _tag: "AttemptTroubled", retryStatus: "exhausted" },
        { _tag: "TurnFailed", retryStatus: "exhausted" },
        { _tag: "TurnStarted", turnId: turnId(2) },
        "MessageTaken"
      )
  })

  it("ends the turn at once when trying again makes no sense, but not the session", () => {
    working
      .and(frames(1, 1, asked(1)))
      .when(frames(1, 2, failed(false)))
      .thenEvents(
        { _tag: "AttemptTroubled", retryStatus: "terminal" },
        { _tag: "ToolFinished", outcome: "interrupted" },
        { _tag: "TurnFailed", retryStatus: "terminal" },
        "StatusChanged"
      )
      .hasStatus("idle", "retries_exhausted")
      .and(send(message(2)))
      .hasStatus("running")
  })
})

describe("a lost attempt", () => {
  it("is tried again: requests estimated, calls that had not started interrupted", () => {
    working
      .and(frames(1, 1, requestStarted(1), requested(1)))
      .when(lose(1))
      .thenEvents(
        "AttemptLost",
        { _tag: "ModelRequestEnded", outcome: "unknown" },
        { _tag: "ToolFinished", callId: callId(1), outcome: "interrupted" },
        { _tag: "TurnRescheduled", failures: 1 },
        "StatusChanged"
      )
      .when(lose(1))
      .thenRejected("AttemptEnded")
  })

  it("with a call of unknown outcome asks a person", () => {
    working
      .and(frames(1, 1, requested(1), started(1)))
      .when(lose(1))
      .thenEvents(
        "AttemptLost",
        { _tag: "ToolFinished", outcome: "unknown" },
        { _tag: "RetryAsked", callIds: [callId(1)] },
        "StatusChanged"
      )
      .hasStatus("idle", "requires_action")
      .when(start(1, 2))
      .thenRejected("NotDue")
      .when(retry(1))
      .thenEvents("RetryDecided", "StatusChanged")
      .hasStatus("running")
      .when(start(1, 2))
      .accepted()
  })

  it("does not ask about calls that may safely be repeated", () => {
    for (const part of [{ idempotent: true }, { readOnly: true }]) {
      working
        .and(frames(1, 1, requested(1, part), started(1)))
        .when(lose(1))
        .thenEvent("TurnRescheduled")
    }
  })

  it("asks as well when the runner itself did not know", () => {
    working
      .and(frames(1, 1, requested(1), started(1), finished(1, "unknown")))
      .when(frames(1, 4, failed(true)))
      .thenEvents(
        { _tag: "AttemptTroubled", retryStatus: "exhausted" },
        { _tag: "RetryAsked", callIds: [callId(1)] },
        "StatusChanged"
      )
  })

  it("does not ask about an earlier attempt", () => {
    working
      .and(frames(1, 1, requested(1), started(1), finished(1, "unknown"), suspended()), start(1, 2))
      .when(lose(2))
      .thenEvent("TurnRescheduled")
  })

  it("waits for answers that are owed after the person decided", () => {
    working
      .and(frames(1, 1, requested(1), started(1), forClient(2)), lose(1))
      .when(retry(1))
      .thenEvents("RetryDecided", { _tag: "StatusChanged" })
      .hasStatus("idle", "requires_action")
      .when(send(result(10, 2)))
      .thenEvents("ToolAnswered", "TurnResumed", "StatusChanged")
  })

  it("keeps what was allowed for the next", () => {
    const story = working
      .and(frames(1, 1, asked(1), suspended()), send(confirmation(10, 1)), start(1, 2))
      .when(lose(2))
      .thenEvents("AttemptLost", "TurnRescheduled", "StatusChanged")
    assert.strictEqual(story.call(1).status, "approved")
  })
})

describe("a retry", () => {
  const over = working.later(90).and(frames(1, 1, requestStarted(1), requestEnded(1), failed(false)))

  it("of a failed turn goes on with its sums", () => {
    const story = over.when(retry(1)).thenEvents("TurnRetried", "StatusChanged").hasStatus("running")
    const { activeMs, costMicroUsd } = story.turn().totals
    assert.deepStrictEqual([activeMs, costMicroUsd], [100, 100])
    const done = story.and(start(1, 2), frames(2, 1, requestStarted(2), requestEnded(2), completed()))
    assert.strictEqual(done.session.totals.costMicroUsd, 200)
  })

  it("may fail three times again", () => {
    const again = over.and(retry(1), start(1, 2))
    again.when(frames(2, 1, failed(true))).thenEvent({ _tag: "TurnRescheduled", failures: 1 })
  })

  it("is refused when nothing failed, and while it is retried already", () => {
    over.when(retry(2)).thenRejected("NothingToRetry")
    over.and(retry(1)).when(retry(1)).thenRejected("NothingToRetry")
    over
      .and(send(message(2)), retry(1))
      .when(retry(1))
      .thenRejected("NothingToRetry")
    working.when(retry(1)).thenRejected("NothingToRetry")
  })

  it("goes on at once after other turns have come and gone", () => {
    const later = over.and(send(message(2)), start(2, 2), frames(2, 1, completed()))
    const story = later.when(retry(1)).thenEvents("TurnRetried", "StatusChanged")
    assert.strictEqual(story.turn().turnId, turnId(1))
    assert.strictEqual(story.turn().totals.costMicroUsd, 100)
  })

  describe("while another turn runs", () => {
    const behind = over.and(send(message(2), message(3)), start(2, 2), retry(1))

    it("waits for its end, and comes before all that wait, with its sums", () => {
      assert.strictEqual(behind.turn().turnId, turnId(2))
      const story = behind.when(frames(2, 1, completed())).thenEvents("TurnCompleted", "TurnRetried")
      assert.deepInclude(story.turn(), { turnId: turnId(1), failures: 0 })
      assert.strictEqual(story.turn().totals.costMicroUsd, 100)
      assert.deepStrictEqual([story.thread().retry, story.thread().failed], [null, null])
      const done = story.and(start(1, 3), frames(3, 1, requestStarted(2), requestEnded(2), completed()))
      assert.strictEqual(done.turn().turnId, turnId(3))
      assert.strictEqual(done.session.totals.costMicroUsd, 200)
    })

    it("waits for the end of a pause as well", () => {
      const paused = behind.and(pause, frames(2, 1, completed())).hasStatus("idle", "paused")
      assert.strictEqual(paused.thread().turn, null)
      paused.when(resume).thenEvents("SessionResumed", "TurnRetried", "StatusChanged")
    })

    it("does not wait for a turn that nobody has approved", () => {
      const story = over
        .and(send(message(2)), start(2, 2), send(message(3, { needsApproval: true })), retry(1))
        .and(frames(2, 1, completed()))
      assert.strictEqual(story.turn().turnId, turnId(1))
    })

    it("stands whatever becomes of the other one, which may be retried after it", () => {
      const both = behind.and(frames(2, 1, failed(false)))
      assert.strictEqual(both.turn().turnId, turnId(1))
      assert.strictEqual(both.thread().failed?.turnId, turnId(2))
      const story = both.and(retry(2), start(1, 3), frames(3, 1, completed()))
      assert.strictEqual(story.turn().turnId, turnId(2))
    })

    it("can be taken back, and asked for again", () => {
      const back = behind.when(withdraw(1)).thenEvent({ _tag: "TurnWithdrawn", turnId: turnId(1) })
      assert.strictEqual(back.and(frames(2, 1, completed())).turn().turnId, turnId(3))
      back.when(retry(1)).thenEvents("RetryQueued")
      behind.when(withdraw(1, 0)).thenRejected("StaleQueue")
    })

    it("keeps its id, and its thread", () => {
      behind.when(send(message(4, { turnId: turnId(1) }))).thenRejected({ _tag: "IdTaken", id: turnId(1) })
    })
  })
})
