import { assert, describe, it } from "@effect/vitest"
import { Limits } from "../../../src/Limits.ts"
import { after } from "../given.ts"
import type { Story } from "../given.ts"
import {
  archive,
  asked,
  attemptId,
  callId,
  completed,
  failed,
  finished,
  frames,
  inputId,
  interrupt,
  interruptedFrame,
  lose,
  message,
  open,
  openThread,
  pause,
  requested,
  requestStarted,
  resume,
  send,
  start,
  started,
  suspended,
  threadId,
  turnId,
  wake
} from "../make.ts"

const placing = after(open(), send(message(1)))
const working = placing.and(start(1))
const open1 = frames(1, 1, requested(1), started(1))
const phases: Readonly<Record<"Placing" | "Rescheduled" | "Suspended" | "Deciding", Story>> = {
  Placing: placing,
  Rescheduled: working.and(frames(1, 1, failed(true))),
  Suspended: working.and(frames(1, 1, asked(1), suspended())),
  Deciding: working.and(open1, lose(1))
}

describe("an interrupt", () => {
  it("ends a turn at once where no runner works on it", () => {
    for (const [phase, story] of Object.entries(phases)) {
      const over = story
        .when(send(interrupt(10)))
        .thenEvent({ _tag: "TurnInterrupted", attemptId: null, inputIds: [inputId(10)] })
        .hasStatus("idle", "end_turn")
      assert.strictEqual(over.thread().turn, null, phase)
    }
  })

  it("closes what was waiting with an error result", () => {
    phases.Suspended.when(send(interrupt(10))).thenEvents(
      "InterruptRequested",
      { _tag: "ToolFinished", outcome: "interrupted", isError: true },
      "TurnInterrupted",
      "StatusChanged"
    )
  })

  it("of a turn at work waits for the runner, and the status stays running", () => {
    working
      .when(send(interrupt(10)))
      .thenEvents({ _tag: "InterruptRequested", turnId: turnId(1) })
      .hasStatus("running")
      .and(send(interrupt(11)))
      .when(frames(1, 1, interruptedFrame))
      .thenEvents(
        { _tag: "TurnInterrupted", attemptId: attemptId(1), frame: 1, inputIds: [inputId(10), inputId(11)] },
        "StatusChanged"
      )
      .hasStatus("idle", "end_turn")
  })

  it("that no runner confirms takes effect at its deadline", () => {
    const story = working.and(open1, frames(1, 3, requestStarted(1)), send(interrupt(10)))
    story
      .later(Limits.interruptConfirmMs - 100)
      .when(wake)
      .thenEvents()
    story
      .later(Limits.interruptConfirmMs)
      .when(wake)
      .thenEvents(
        "ModelRequestEnded",
        { _tag: "ToolFinished", callId: callId(1), outcome: "unknown" },
        { _tag: "TurnInterrupted", attemptId: attemptId(1), frame: null },
        "StatusChanged"
      )
      .when(frames(1, 4, finished(1), interruptedFrame))
      .thenEvents({ _tag: "FramesRefused", from: 4, to: 5 })
  })

  it("keeps its first deadline", () => {
    working
      .and(send(interrupt(10)))
      .later(5_000)
      .and(send(interrupt(11)))
      .later(5_000)
      .when(wake)
      .thenEvent("TurnInterrupted")
  })

  it("takes effect as well when the attempt suspends, fails or is lost", () => {
    const story = working.and(open1, send(interrupt(10)))
    for (const body of [frames(1, 3, suspended()), frames(1, 3, failed(true)), frames(1, 3, failed(false)), lose(1)]) {
      story
        .when(body)
        .thenEvent({ _tag: "TurnInterrupted", inputIds: [inputId(10)] })
        .hasStatus("idle", "end_turn")
    }
  })

  it("that came too late is taken up by the turn's end", () => {
    working
      .and(send(interrupt(10)))
      .when(frames(1, 1, completed("refusal")))
      .thenEvents({ _tag: "TurnCompleted", stop: "refusal", inputIds: [inputId(10)] }, "StatusChanged")
  })

  it("changes nothing where nothing runs", () => {
    after(open())
      .when(send(interrupt(10)))
      .thenEvents({ _tag: "InterruptRequested", turnId: null })
      .hasStatus("idle", "end_turn")
    after(open(), openThread(2))
      .when(send(interrupt(10, 2)))
      .thenEvents({ _tag: "InterruptRequested", threadId: threadId(2), turnId: null })
    after(open())
      .when(send(interrupt(10, 9)))
      .thenRejected("UnknownThread")
  })

  it("with a message in the same command starts the next turn with it", () => {
    for (const story of Object.values(phases)) {
      story
        .when(send(interrupt(10), message(2)))
        .thenEvent({ _tag: "TurnStarted", turnId: turnId(2) })
        .hasStatus("running")
    }
    working
      .and(send(interrupt(10), message(2)))
      .when(frames(1, 1, interruptedFrame))
      .thenEvents("TurnInterrupted", { _tag: "TurnStarted", turnId: turnId(2) }, "MessageTaken")
  })
})

describe("a pause", () => {
  it("holds a turn in every phase, and its end lets it go on", () => {
    phases.Placing.and(pause)
      .hasStatus("idle", "paused")
      .when(start(1))
      .thenRejected("NotDue")
      .and(resume)
      .hasStatus("running")
    phases.Rescheduled.and(pause).hasStatus("idle", "paused").and(resume).hasStatus("rescheduling")
    phases.Suspended.and(pause).hasStatus("idle", "requires_action").and(resume).hasStatus("idle", "requires_action")
    phases.Deciding.and(pause).hasStatus("idle", "requires_action").and(resume).hasStatus("idle", "requires_action")
  })

  it("of a turn at work takes effect when the runner suspends it", () => {
    working
      .when(pause)
      .thenEvents("SessionPaused")
      .hasStatus("running")
      .when(frames(1, 1, suspended("paused")))
      .thenEvents({ _tag: "TurnSuspended", reason: "paused" }, "StatusChanged")
      .hasStatus("idle", "paused")
      .when(resume)
      .thenEvents("SessionResumed", "TurnResumed", "StatusChanged")
      .hasStatus("running")
  })

  it("that ended before the runner suspended holds nothing", () => {
    working
      .and(pause, resume)
      .when(frames(1, 1, suspended("paused")))
      .thenEvents("TurnSuspended", "TurnResumed")
      .hasStatus("running")
  })

  it("leaves an event even when it changes nothing, so that a retry of it is known", () => {
    after(open(), pause).when(pause).thenEvents("SessionPaused")
    after(open()).when(resume).thenEvents("SessionResumed")
  })

  it("does not keep a turn from being interrupted, nor a session from being archived", () => {
    working
      .and(pause, frames(1, 1, suspended("paused")))
      .and(send(interrupt(10)))
      .hasStatus("idle", "end_turn")
      .and(archive)
      .hasStatus("terminated")
  })
})
