import { assert, describe, it } from "@effect/vitest"
import { Limits } from "../../../src/Limits.ts"
import { text } from "../../../src/session/Content.ts"
import { after } from "../given.ts"
import {
  completed,
  frames,
  inputId,
  interrupt,
  interruptedFrame,
  message,
  open,
  pause,
  requestStarted,
  resume,
  retry,
  send,
  start,
  steerTaken,
  threadId,
  turnId,
  withdraw
} from "../make.ts"
import type { Story } from "../given.ts"

const working = after(open(), send(message(1)), start(1))
const queueOf = (story: Story) => story.thread().queue.map((turn) => turn.turnId)
const edit = (n: number, queueVersion: number | null, part: object = {}) =>
  ({ _tag: "EditTurn", turnId: turnId(n), queueVersion, ...part }) as const
const move = (n: number, before: number | null, queueVersion: number | null = null) =>
  ({ _tag: "MoveTurn", turnId: turnId(n), before: before === null ? null : turnId(before), queueVersion }) as const
const approve = (n: number, queueVersion: number | null = null) =>
  ({ _tag: "ApproveTurn", turnId: turnId(n), queueVersion }) as const
const steerTurn = (n: number, queueVersion: number | null = null) =>
  ({ _tag: "SteerTurn", turnId: turnId(n), queueVersion }) as const

describe("a message", () => {
  it("starts a turn where none runs, with what it overrides", () => {
    after(open())
      .when(send(message(1, { overrides: { model: "big" } })))
      .thenEvents(
        { _tag: "MessageReceived", inputId: inputId(1), turnId: turnId(1), mode: "queue" },
        { _tag: "TurnQueued", place: "back", queueVersion: 1 },
        { _tag: "TurnStarted", overrides: { model: "big" }, queueVersion: 2 },
        { _tag: "MessageTaken", inputId: inputId(1), attemptId: null, frame: null },
        "StatusChanged"
      )
  })

  it("waits its turn behind the one that runs", () => {
    working
      .when(send(message(2), message(3)))
      .thenEvents("MessageReceived", "TurnQueued", "MessageReceived", "TurnQueued")
      .when(frames(1, 1, completed()))
      .thenEvents(
        "TurnCompleted",
        { _tag: "TurnStarted", turnId: turnId(2) },
        { _tag: "MessageTaken", inputId: inputId(2) }
      )
  })

  it("needs content, and a thread that is there", () => {
    after(open())
      .when(send(message(1, { content: [] })))
      .thenRejected({ _tag: "Invalid", field: "content" })
    after(open())
      .when(send(message(1, { threadId: threadId(9) })))
      .thenRejected("UnknownThread")
  })

  it("needs ids that nothing here has: neither queued, nor running, nor steering, nor failed", () => {
    const story = working.and(send(message(2)), send(message(3, { mode: "steer" })))
    for (const n of [2, 3]) {
      story.when(send(message(n, { turnId: turnId(9) }))).thenRejected({ _tag: "IdTaken", id: inputId(n) })
      story.when(send(message(n, { inputId: inputId(9) }))).thenRejected({ _tag: "IdTaken", id: turnId(n) })
    }
    story.when(send(message(1, { inputId: inputId(9) }))).thenRejected("IdTaken")
    after(open())
      .when(send(message(1), message(1)))
      .thenRejected("IdTaken")
    after(open())
      .when(send(message(1), message(2, { turnId: turnId(1) })))
      .thenRejected("IdTaken")
  })

  it("is refused for now when a thousand wait, steers among them", () => {
    const full = Array.from({ length: Limits.queuedTurnsMax / 50 }, (_, page) =>
      send(...Array.from({ length: 50 }, (_, n) => message(page * 50 + n + 2, n === 0 ? { mode: "steer" } : {})))
    )
    const story = working.and(...full)
    const refusal = { _tag: "QueueFull", max: 1_000, retryAfterMs: 1_000 } as const
    story.when(send(message(2_000))).thenRejected(refusal)
    story.when(send(message(2_000, { mode: "steer" }))).thenRejected(refusal)
    const next = story.and(frames(1, 1, completed()))
    assert.strictEqual(next.thread().queue.length, 999)
    next.when(send(message(2_000))).accepted()
  })
})

describe("a steer", () => {
  const steered = working.and(send(message(2, { mode: "steer" })))

  it("joins the running turn at its next model request", () => {
    working
      .when(send(message(2, { mode: "steer" })))
      .thenEvents("MessageReceived", { _tag: "SteerQueued", turnId: turnId(2), inputId: inputId(2) })
      .when(frames(1, 1, requestStarted(1), steerTaken(2)))
      .thenEvents("ModelRequestStarted", { _tag: "MessageTaken", turnId: turnId(1), inputId: inputId(2), frame: 2 })
      .when(frames(1, 3, steerTaken(2)))
      .thenRejected("ProtocolViolation")
  })

  it("untaken at the turn's end goes to the front of the queue", () => {
    steered
      .and(send(message(3)), send(message(4, { mode: "steer" })))
      .when(frames(1, 1, completed()))
      .thenEvents(
        "TurnCompleted",
        { _tag: "TurnQueued", turnId: turnId(4), place: "front" },
        { _tag: "TurnQueued", turnId: turnId(2), place: "front" },
        { _tag: "TurnStarted", turnId: turnId(2) },
        "MessageTaken"
      )
  })

  it("where nothing runs is an ordinary turn", () => {
    after(open())
      .when(send(message(1, { mode: "steer" })))
      .thenEvents(
        "MessageReceived",
        { _tag: "TurnQueued", place: "front" },
        "TurnStarted",
        "MessageTaken",
        "StatusChanged"
      )
  })

  it("that must be approved does not slip into the running turn", () => {
    working
      .when(send(message(2, { mode: "steer", needsApproval: true })))
      .thenEvents("MessageReceived", { _tag: "TurnQueued", needsApproval: true })
      .when(steerTurn(2))
      .thenRejected({ _tag: "Invalid", detail: "waits for approval" })
  })

  it("can be made of a queued turn, whose overrides come back with it", () => {
    const story = working
      .and(send(message(2), message(3, { overrides: { model: "big" } })))
      .when(steerTurn(3))
      .thenEvents({ _tag: "SteerQueued", turnId: turnId(3) })
    assert.deepStrictEqual(queueOf(story), [turnId(2)])
    assert.strictEqual(story.thread().queueVersion, working.thread().queueVersion + 3)
    story.when(withdraw(3)).thenRejected("TurnNotQueued")
    story
      .when(frames(1, 1, completed()))
      .thenEvent({ _tag: "TurnStarted", turnId: turnId(3), overrides: { model: "big" } })
  })

  it("of a queued turn needs one that runs", () => {
    after(open(), pause, send(message(1)))
      .when(steerTurn(1))
      .thenRejected("NothingToSteer")
  })
})

describe("the queue", () => {
  const story = working.and(send(message(2), message(3), message(4)))
  const version = story.thread().queueVersion

  it("is edited at the version that was seen, or at any", () => {
    story.when(edit(2, version - 1)).thenRejected({ _tag: "StaleQueue", expected: version - 1, actual: version })
    story
      .when(edit(2, version, { content: text("other") }))
      .thenEvents({ _tag: "TurnEdited", content: text("other"), overrides: undefined, queueVersion: version + 1 })
      .when(edit(2, null, { overrides: { effort: "high" } }))
      .thenEvents({ _tag: "TurnEdited", queueVersion: version + 2 })
      .when(frames(1, 1, completed()))
      .thenEvents(
        "TurnCompleted",
        { _tag: "TurnStarted", overrides: { effort: "high" } },
        { _tag: "MessageTaken", content: text("other") }
      )
  })

  it("is put in another order", () => {
    assert.deepStrictEqual(queueOf(story.and(move(4, 2))), [4, 2, 3].map(turnId))
    assert.deepStrictEqual(queueOf(story.and(move(2, 4))), [3, 2, 4].map(turnId))
    assert.deepStrictEqual(queueOf(story.and(move(2, null))), [3, 4, 2].map(turnId))
    story.when(move(2, 2)).thenRejected({ _tag: "Invalid", field: "before" })
    story.when(move(2, 9)).thenRejected({ _tag: "TurnNotQueued", turnId: turnId(9) })
  })

  it("gives turns back", () => {
    assert.deepStrictEqual(queueOf(story.and(withdraw(3, version))), [2, 4].map(turnId))
    story.and(withdraw(3)).when(withdraw(3)).thenRejected("UnknownTurn")
  })

  it("lets nobody change what runs, or what is not there", () => {
    story.when(edit(1, null)).thenRejected("TurnNotQueued")
    story.when(withdraw(9)).thenRejected({ _tag: "UnknownTurn", turnId: turnId(9) })
    story.when(edit(2, null, { content: [] })).thenRejected("Invalid")
    story.when(retry(2)).thenRejected("NothingToRetry")
  })
})

describe("a turn that needs approval", () => {
  const waiting = after(open(), send(message(1, { needsApproval: true }), message(2)))

  it("waits, and all behind it", () => {
    waiting.hasStatus("idle", "requires_action").when(approve(2)).thenRejected("Invalid")
  })

  it("starts once approved", () => {
    waiting
      .when(approve(1))
      .thenEvents("TurnApproved", { _tag: "TurnStarted", turnId: turnId(1) }, "MessageTaken", "StatusChanged")
  })

  it("lets the next one by when it is withdrawn", () => {
    waiting
      .when(withdraw(1))
      .thenEvents("TurnWithdrawn", { _tag: "TurnStarted", turnId: turnId(2) }, "MessageTaken", "StatusChanged")
  })
})

describe("an interrupt and the queue", () => {
  it("a message sent with an interrupt starts the next turn, even as a steer", () => {
    working
      .and(send(message(2)))
      .and(send(interrupt(10), message(3, { mode: "steer" })))
      .when(frames(1, 1, interruptedFrame))
      .thenEvents(
        "TurnInterrupted",
        { _tag: "TurnQueued", turnId: turnId(3), place: "front" },
        { _tag: "TurnStarted", turnId: turnId(3) },
        "MessageTaken"
      )
  })

  it("a pause holds the next turn, and its end lets it start", () => {
    working
      .and(pause, send(message(2)))
      .when(frames(1, 1, completed()))
      .thenEvents("TurnCompleted", "StatusChanged")
      .hasStatus("idle", "paused")
      .when(resume)
      .thenEvents("SessionResumed", "TurnStarted", "MessageTaken", "StatusChanged")
  })
})
