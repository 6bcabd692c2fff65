import { assert, describe, it } from "@effect/vitest"
import { after } from "../given.ts"
import {
  asked,
  attemptId,
  block,
  blockId,
  callId,
  completed,
  finished,
  forClient,
  frames,
  hash,
  lose,
  message,
  open,
  openThread,
  pause,
  question,
  refused,
  requested,
  requestEnded,
  requestId,
  requestStarted,
  runnerId,
  sandboxId,
  send,
  start,
  started,
  suspended,
  threadId,
  turnId,
  usage
} from "../make.ts"
import type { BodyOf } from "../make.ts"

const placing = after(open(), send(message(1)))
const working = placing.and(start(1))

describe("an attempt", () => {
  it("starts on a turn that is due, and is numbered", () => {
    placing
      .when(start(1))
      .thenEvents({ _tag: "AttemptStarted", attemptId: attemptId(1), runnerId: runnerId(), number: 1 })
      .and(frames(1, 1, asked(1), suspended()))
      .when(start(1, 2))
      .thenRejected("NotDue")
  })

  it("starts neither twice, nor on another thread, nor for a turn that is not there", () => {
    working.when(start(1, 2)).thenRejected("NotDue")
    placing.when(start(2)).thenRejected({ _tag: "UnknownTurn", turnId: turnId(2) })
    placing
      .and(openThread(2))
      .when(start(1, 1, 2))
      .thenRejected("NotDue")
    placing.and(pause).when(start(1)).thenRejected("NotDue")
  })

  it("has an id of its own", () => {
    const again = working.and(lose(1)).later(1_000)
    again.when(start(1, 1)).thenRejected({ _tag: "IdTaken", id: attemptId(1) })
    again.when(start(1, 2)).thenEvent({ _tag: "AttemptStarted", number: 2 })
    working
      .and(openThread(2), send(message(2, { threadId: threadId(2) })))
      .when(start(2, 1, 2))
      .thenRejected("IdTaken")
  })

  it("that no runner can take says why, once for each reason", () => {
    const waiting = (reason: string, thread = 1) =>
      ({ _tag: "NoteWaiting", threadId: threadId(thread), turnId: turnId(1), reason }) as const
    placing
      .when(waiting("no runner"))
      .thenEvents({ _tag: "TurnWaiting", reason: "no runner" })
      .when(waiting("no runner"))
      .thenEvents()
      .when(waiting("no capacity"))
      .thenEvents("TurnWaiting")
      .when(waiting("lost", 2))
      .thenRejected("NotDue")
    working.when(waiting("no runner")).thenRejected("NotDue")
  })
})

describe("frames", () => {
  const two = working.and(frames(1, 1, requestStarted(1), block(1)))

  it("are taken in order and once", () => {
    two
      .when(frames(1, 1, requestStarted(1), block(1), block(2)))
      .thenEvents({ _tag: "MessageBlock", blockId: blockId(2), frame: 3, attemptId: attemptId(1) })
      .when(frames(1, 1, requestStarted(1), block(1)))
      .thenEvents()
  })

  it("with a hole are refused, but not those before it", () => {
    two.when(frames(1, 4, block(2))).thenRejected({ _tag: "FrameHole", expected: 3, got: 4 })
    const torn = frames(1, 3, block(3), block(4), block(5))
    const holed = { ...torn, frames: torn.frames.filter((frame) => frame.n !== 4) }
    two.when(holed).thenEvents({ _tag: "MessageBlock", frame: 3 })
    const onlyRepeats = frames(1, 2, block(1), block(3), block(4))
    const worse = { ...onlyRepeats, frames: onlyRepeats.frames.filter((frame) => frame.n !== 3) }
    two.when(worse).thenRejected({ _tag: "FrameHole", expected: 3, got: 4 })
  })

  it("that make no sense are refused, but not those before them", () => {
    two
      .when(frames(1, 3, block(2), started(9), block(3)))
      .thenEvents("MessageBlock")
      .when(frames(1, 4, started(9), block(3)))
      .thenRejected({ _tag: "ProtocolViolation", frame: 4 })
  })

  it("of an attempt that has ended are dropped when known, recorded once when late, and then refused", () => {
    const done = two.and(frames(1, 3, completed()))
    done.when(frames(1, 2, block(1), completed())).thenEvents()
    done
      .when(frames(1, 3, completed(), block(2), block(3)))
      .thenEvents({ _tag: "FramesRefused", attemptId: attemptId(1), from: 4, to: 5 })
      .when(frames(1, 4, block(2), block(3)))
      .thenRejected({ _tag: "AttemptEnded", attemptId: attemptId(1) })
      .when(frames(1, 3, completed()))
      .thenEvents()
  })

  it("after the one that ended their attempt are late as well", () => {
    two
      .when(frames(1, 3, completed(), block(2)))
      .thenEvents("ModelRequestEnded", "TurnCompleted", { _tag: "FramesRefused", from: 4, to: 4 }, "StatusChanged")
  })

  it("of an attempt that was never started are refused", () => {
    working.when(frames(7, 1, block(1))).thenRejected("AttemptEnded")
  })
})

describe("what a runner reports", () => {
  const sandbox = { sandboxId: sandboxId(), runnerId: "r", backend: "bubblewrap" }

  it("becomes events of the attempt", () => {
    working
      .when(
        frames(
          1,
          1,
          requestStarted(1),
          {
            _tag: "ThinkingBlock",
            blockId: blockId(1),
            requestId: requestId(1),
            text: null,
            opaque: null,
            partial: false
          },
          block(2),
          requestEnded(1),
          { _tag: "ContextCompacted", summary: [], uptoSeq: 3, tokensBefore: 10, tokensAfter: 2 },
          { _tag: "WorkingCopyRewound", toSeq: 2, callIds: [] },
          { _tag: "WorkingCopyCaptured", checkpoint: "c1", bytes: 1, files: 1 },
          { _tag: "Troubled", error: { code: "mcp_connection_failed_error", message: "no" }, retryStatus: "retrying" }
        )
      )
      .thenEvents(
        "ModelRequestStarted",
        "ThinkingBlock",
        "MessageBlock",
        { _tag: "ModelRequestEnded", usage: usage() },
        "ContextCompacted",
        "WorkingCopyRewound",
        { _tag: "WorkingCopyCaptured", frame: 7, turnId: turnId(1), threadId: threadId() },
        { _tag: "AttemptTroubled", retryStatus: "retrying", frame: 8 }
      )
  })

  it("about the session moves the mark by an event of its own", () => {
    working
      .when(
        frames(
          1,
          1,
          { _tag: "SandboxCreated", ...sandbox, isolation: "process" },
          { _tag: "SandboxLost", sandboxId: sandboxId(2), reason: "another" },
          { _tag: "SandboxRestored", ...sandbox, checkpoint: "c1" },
          { _tag: "Noted", event: { _tag: "SkillLoaded", name: "pdf", version: "1" } },
          { _tag: "TitleSuggested", title: "A title" },
          { _tag: "TitleSuggested", title: "Another" }
        )
      )
      .thenEvents(
        "SandboxCreated",
        { _tag: "FrameNoted", frame: 1 },
        "SandboxLost",
        { _tag: "FrameNoted", frame: 2 },
        "SandboxRestored",
        { _tag: "FrameNoted", frame: 3 },
        "SkillLoaded",
        { _tag: "FrameNoted", frame: 4 },
        { _tag: "SessionUpdated", title: "A title" },
        { _tag: "FrameNoted", frame: 5 },
        { _tag: "FrameNoted", frame: 6 }
      )
  })

  it("tells where the sandbox is", () => {
    const made = working.and(frames(1, 1, { _tag: "SandboxCreated", ...sandbox, isolation: "process" }))
    assert.deepStrictEqual(made.session.sandbox, { ...sandbox, live: true })
    const lost = made.and(frames(1, 2, { _tag: "SandboxLost", sandboxId: sandboxId(), reason: "gone" }))
    assert.strictEqual(lost.session.sandbox?.live, false)
    const gone = lost.and(frames(1, 3, { _tag: "SandboxDestroyed", sandboxId: sandboxId(), reason: "done" }))
    assert.strictEqual(gone.session.sandbox, null)
  })
})

describe("a model request", () => {
  it("ends once, and is counted once", () => {
    const story = working.and(frames(1, 1, requestStarted(1)))
    story.when(frames(1, 2, requestStarted(1))).thenRejected("ProtocolViolation")
    const ended = story.and(frames(1, 2, requestEnded(1)))
    ended.when(frames(1, 3, requestEnded(1))).thenRejected("ProtocolViolation")
    const { costMicroUsd, estimatedRequests, modelRequests } = ended.session.totals
    assert.deepStrictEqual([modelRequests, estimatedRequests, costMicroUsd], [1, 0, 100])
    assert.deepStrictEqual(ended.turn().totals, ended.session.totals)
  })

  it("that never said how it ended counts as estimated", () => {
    const story = working.and(frames(1, 1, requestStarted(1)))
    for (const body of [frames(1, 2, completed()), lose(1), frames(1, 2, suspended("paused"))]) {
      const ended = story.when(body).thenEvent({
        _tag: "ModelRequestEnded",
        outcome: "unknown",
        usage: usage({ source: "estimated", costMicroUsd: 70 })
      })
      const { costMicroUsd, estimatedRequests, modelRequests } = ended.session.totals
      assert.deepStrictEqual([modelRequests, estimatedRequests, costMicroUsd], [1, 1, 70])
    }
  })

  it("without a known price says so", () => {
    const story = working.and(frames(1, 1, requestStarted(1), requestEnded(1, { costMicroUsd: null })))
    assert.strictEqual(story.session.totals.unpricedRequests, 1)
  })
})

describe("a call", () => {
  it("is requested, started and finished", () => {
    for (const outcome of ["succeeded", "failed", "timed_out", "interrupted", "unknown"] as const) {
      const story = working
        .when(frames(1, 1, requested(1), started(1), finished(1, outcome)))
        .thenEvents("ToolRequested", "ToolStarted", { _tag: "ToolFinished", outcome, frame: 3 })
      assert.deepStrictEqual([story.turn().calls.length, story.session.totals.toolCalls], [0, 1])
    }
  })

  it("that never started did not succeed, fail or time out", () => {
    const story = working.and(frames(1, 1, requested(1)))
    for (const outcome of ["succeeded", "failed", "timed_out"] as const) {
      story.when(frames(1, 2, finished(1, outcome))).thenRejected("ProtocolViolation")
    }
    story.when(frames(1, 2, finished(1, "interrupted"))).thenEvents("ToolFinished")
  })

  it("that policy denies gets its error result and never starts", () => {
    const story = working.and(frames(1, 1, refused(1)))
    assert.strictEqual(story.call(1).status, "denied")
    story.when(frames(1, 2, started(1))).thenRejected("ProtocolViolation")
    story.when(frames(1, 2, finished(1, "denied"))).thenEvents({ _tag: "ToolFinished", outcome: "denied" })
    story.when(frames(1, 2, completed())).thenEvent({ _tag: "ToolFinished", outcome: "denied", frame: null })
  })

  it("is requested once, in whatever thread, and has one outcome", () => {
    const story = working.and(frames(1, 1, requested(1)))
    story.when(frames(1, 2, requested(1))).thenRejected("ProtocolViolation")
    story
      .and(openThread(2), send(message(2, { threadId: threadId(2) })), start(2, 2, 2))
      .when(frames(2, 1, requested(1)))
      .thenRejected("ProtocolViolation")
    story
      .and(frames(1, 2, started(1)))
      .when(frames(1, 3, started(1)))
      .thenRejected("ProtocolViolation")
    const over = story.and(frames(1, 2, started(1), finished(1)))
    over.when(frames(1, 4, finished(1))).thenRejected("ProtocolViolation")
    over.when(frames(1, 4, completed())).thenEvents("TurnCompleted", "StatusChanged")
  })

  it("must be one that somebody can finish", () => {
    const bad: ReadonlyArray<BodyOf<"ToolRequested">> = [
      forClient(1, { awaits: "nothing" }),
      forClient(1, { awaits: "answer" }),
      requested(1, { awaits: "result" }),
      requested(1, { awaits: "confirmation" }),
      refused(1, { awaits: "confirmation" })
    ]
    for (const body of bad) working.when(frames(1, 1, body)).thenRejected({ _tag: "ProtocolViolation", frame: 1 })
  })

  it("that waits for somebody else is not the runner's to start or to finish", () => {
    for (const body of [forClient(1), question(1)]) {
      const story = working.and(frames(1, 1, body))
      story.when(frames(1, 2, started(1))).thenRejected("ProtocolViolation")
      story.when(frames(1, 2, finished(1, "interrupted"))).thenRejected("ProtocolViolation")
    }
    const waiting = working.and(frames(1, 1, asked(1)))
    waiting.when(frames(1, 2, started(1))).thenRejected("ProtocolViolation")
    waiting.when(frames(1, 2, finished(1, "interrupted"))).thenEvents("ToolFinished")
  })

  it("left open ends with its turn: started ones unknown, the others interrupted", () => {
    working
      .and(frames(1, 1, requested(1), started(1), requested(2), asked(3), forClient(4)))
      .when(frames(1, 6, completed()))
      .thenEvents(
        { _tag: "ToolFinished", callId: callId(1), outcome: "unknown", isError: true },
        { _tag: "ToolFinished", callId: callId(2), outcome: "interrupted" },
        { _tag: "ToolFinished", callId: callId(3), outcome: "interrupted" },
        { _tag: "ToolFinished", callId: callId(4), outcome: "interrupted" },
        "TurnCompleted",
        "StatusChanged"
      )
  })
})

describe("the end of a turn", () => {
  it("has the stop reason that the runner gave", () => {
    for (const stop of ["end_turn", "max_steps", "refusal"] as const) {
      working
        .when(frames(1, 1, completed(stop)))
        .thenEvent({ _tag: "TurnCompleted", stop })
        .hasStatus("idle", stop)
    }
  })

  it("counts the time that was worked", () => {
    const story = working.later(490).and(frames(1, 1, completed()))
    assert.strictEqual(story.session.totals.activeMs, 500)
  })

  it("keeps a hash of what ran", () => {
    assert.strictEqual(working.and(frames(1, 1, requested(1))).call(1).inputDigest, hash(4))
  })
})
