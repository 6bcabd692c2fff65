import { assert, describe, it } from "@effect/vitest"
import { Limits } from "../../../src/Limits.ts"
import { after } from "../given.ts"
import {
  asked,
  completed,
  confirmation,
  forClient,
  frames,
  inputId,
  interrupt,
  interruptedFrame,
  lose,
  message,
  open,
  openThread,
  requested,
  result,
  send,
  start,
  started,
  suspended,
  threadId,
  turnId
} from "../make.ts"

const onSecond = { threadId: threadId(2) }
const both = after(open(), openThread(2), send(message(1), message(2, onSecond)), start(1, 1, 1), start(2, 2, 2))
const archiveThread = (n: number) => ({ _tag: "ArchiveThread", threadId: threadId(n) }) as const

describe("two threads", () => {
  it("run side by side, each its own turn", () => {
    assert.deepStrictEqual([both.turn(1).turnId, both.turn(2).turnId], [turnId(1), turnId(2)])
    both
      .when(frames(1, 1, completed()))
      .thenEvents("TurnCompleted", { _tag: "StatusChanged", session: null })
      .hasStatus("running")
      .when(frames(2, 1, completed()))
      .thenEvents("TurnCompleted", { _tag: "StatusChanged", session: { status: "idle", stop: { type: "end_turn" } } })
  })

  it("show the most urgent reason to rest, and all that is waited for", () => {
    const story = both.and(frames(1, 1, asked(1), suspended()), frames(2, 1, forClient(2), suspended()))
    story.hasStatus("idle", "requires_action")
    story
      .when(send(confirmation(10, 1)))
      .thenEvent({ _tag: "StatusChanged", session: { status: "running", stop: null } })
      .and(frames(1, 1, asked(1)))
      .when(send(result(11, 2)))
      .thenEvents(
        "ToolAnswered",
        { _tag: "TurnResumed", threadId: threadId(2) },
        { _tag: "StatusChanged", session: null }
      )
  })

  it("are interrupted singly or together", () => {
    both
      .when(send(interrupt(10, 2)))
      .thenEvents({ _tag: "InterruptRequested", threadId: threadId(2) })
      .when(frames(2, 1, interruptedFrame))
      .thenEvents({ _tag: "TurnInterrupted", inputIds: [inputId(10)] }, "StatusChanged")
      .hasStatus("running")
    both
      .and(frames(2, 1, asked(1), suspended()))
      .when(send(interrupt(10)))
      .thenEvents(
        { _tag: "InterruptRequested", threadId: threadId(1) },
        { _tag: "InterruptRequested", threadId: threadId(2) },
        "ToolFinished",
        { _tag: "TurnInterrupted", threadId: threadId(2) },
        "StatusChanged"
      )
  })

  it("lose only the attempt that was lost", () => {
    both
      .and(frames(1, 1, requested(1), started(1)), frames(2, 1, requested(2), started(2)))
      .when(lose(2))
      .thenEvents("AttemptLost", { _tag: "ToolFinished", threadId: threadId(2) }, "RetryAsked", {
        _tag: "StatusChanged",
        session: null
      })
      .hasStatus("running")
  })
})

describe("a thread", () => {
  it("is opened under a new id and an open parent", () => {
    after(open())
      .when(openThread(2))
      .thenEvents("ThreadOpened", { _tag: "StatusChanged", session: null })
      .when(openThread(2))
      .thenRejected("IdTaken")
      .when({ ...openThread(3), parentThreadId: threadId(9) })
      .thenRejected("UnknownThread")
  })

  it("is one of a bounded number that are open", () => {
    const max = Limits.openThreadsMax
    const opened = Array.from({ length: max - 1 }, (_, n) => openThread(n + 2))
    const full = after(open(), ...opened)
    full.when(openThread(max + 1)).thenRejected({ _tag: "TooManyThreads", max })
    full
      .and(archiveThread(max))
      .when(openThread(max + 1))
      .thenEvent("ThreadOpened")
  })

  it("is archived when nothing runs or waits in it, and then takes nothing more", () => {
    both.when(archiveThread(2)).thenRejected("Busy")
    both.when(archiveThread(1)).thenRejected({ _tag: "Invalid", field: "threadId" })
    const archived = both
      .and(frames(2, 1, completed()))
      .when(archiveThread(2))
      .thenEvents("ThreadArchived", "StatusChanged")
    archived.when(send(message(3, onSecond))).thenRejected("UnknownThread")
    archived.when(archiveThread(2)).thenRejected("UnknownThread")
  })
})
