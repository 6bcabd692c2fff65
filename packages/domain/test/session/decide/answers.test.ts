import { assert, describe, it } from "@effect/vitest"
import { text } from "../../../src/session/Content.ts"
import { after } from "../given.ts"
import {
  answer,
  asked,
  callId,
  completed,
  confirmation,
  finished,
  forClient,
  frames,
  hash,
  inputId,
  lose,
  message,
  open,
  openThread,
  pause,
  question,
  requested,
  requestId,
  result,
  resume,
  send,
  start,
  started,
  suspended,
  threadId,
  turnId,
  wake
} from "../make.ts"

const working = after(open(), send(message(1)), start(1))
const asking = working.and(frames(1, 1, asked(1), suspended()))
const deny = (reason: string | null) => ({ type: "deny", message: reason }) as const

describe("a suspended turn", () => {
  it("shows what it waits for", () => {
    working
      .when(frames(1, 1, asked(1), forClient(2), suspended()))
      .thenEvents(
        "ToolRequested",
        "ToolRequested",
        { _tag: "TurnSuspended", reason: "requires_action", frame: 3 },
        "StatusChanged"
      )
      .hasStatus("idle", "requires_action")
  })

  it("shows the rest after a partial answer, and goes on after the last", () => {
    working
      .and(frames(1, 1, asked(1), forClient(2), question(3), suspended()))
      .when(send(result(10, 2)))
      .thenEvents(
        { _tag: "ToolAnswered", callId: callId(2), executor: "client" },
        {
          _tag: "StatusChanged",
          session: { status: "idle", stop: { type: "requires_action", eventIds: [callId(1), callId(3)] } }
        }
      )
      .when(send(confirmation(11, 1), answer(12, 3)))
      .thenEvents(
        "ToolConfirmed",
        { _tag: "QuestionAnswered", answer: "yes" },
        { _tag: "TurnResumed", turnId: turnId(1) },
        "StatusChanged"
      )
      .hasStatus("running")
      .when(start(1, 2))
      .thenEvent({ _tag: "AttemptStarted", number: 2 })
  })

  it("goes on at once when the answers came first", () => {
    working
      .and(frames(1, 1, forClient(1)), send(result(10, 1)))
      .when(frames(1, 2, suspended()))
      .thenEvents("TurnSuspended", "TurnResumed")
      .hasStatus("running")
  })

  it("that a pause holds waits for its end", () => {
    asking
      .and(pause)
      .when(send(confirmation(10, 1)))
      .thenEvents("ToolConfirmed", "StatusChanged")
      .hasStatus("idle", "paused")
      .when(resume)
      .thenEvents("SessionResumed", "TurnResumed", "StatusChanged")
  })

  it("keeps what was allowed for the next attempt, which runs it", () => {
    asking
      .and(send(confirmation(10, 1)), start(1, 2))
      .when(frames(2, 1, started(1), finished(1), completed()))
      .thenEvents("ToolStarted", { _tag: "ToolFinished", outcome: "succeeded" }, "TurnCompleted", "StatusChanged")
  })
})

describe("a confirmation", () => {
  it("is given once", () => {
    asking
      .and(send(confirmation(10, 1)))
      .when(send(confirmation(11, 1)))
      .thenRejected("CallNotAwaiting")
    asking.when(send(confirmation(10, 1), confirmation(11, 1))).thenRejected("CallNotAwaiting")
    asking.when(send(confirmation(10, 9))).thenRejected({ _tag: "UnknownCall", callId: callId(9) })
  })

  it("that denies gives the model the reason, or says that it was denied", () => {
    asking
      .when(send(confirmation(10, 1, deny("not today"))))
      .thenEvents(
        "ToolConfirmed",
        { _tag: "ToolFinished", outcome: "denied", content: text("not today") },
        "TurnResumed",
        "StatusChanged"
      )
    asking
      .when(send(confirmation(10, 1, deny(null))))
      .thenEvent({ _tag: "ToolFinished", outcome: "denied", content: text("The call was denied."), isError: true })
  })

  it("can change the arguments, and binds what may run by its hash", () => {
    const edited = { type: "allow_edited", input: { path: "b" }, inputDigest: hash(8) } as const
    const story = asking.and(send(confirmation(10, 1, edited)))
    const { editedInput, inputDigest, status } = story.call(1)
    assert.deepStrictEqual([editedInput, inputDigest, status], [{ path: "b" }, hash(8), "approved"])
  })

  it("for the session asks no more for this tool, in any thread", () => {
    const granted = asking.and(
      send(confirmation(10, 1, { type: "allow_session" })),
      openThread(2),
      send(message(2, { threadId: threadId(2) })),
      start(2, 2, 2)
    )
    const story = granted.when(frames(2, 1, asked(2))).thenEvents({ _tag: "ToolRequested", awaits: "nothing" })
    assert.strictEqual(story.call(2).status, "approved")
    story.when(frames(2, 2, started(2))).thenEvents("ToolStarted")
    // The runner did not know, and suspends: what was allowed stays for the next attempt.
    story.when(frames(2, 2, suspended())).thenEvents("TurnSuspended", "TurnResumed")
    assert.strictEqual(story.and(frames(2, 2, suspended())).call(2).status, "approved")
  })

  it("for the session covers neither other tools nor other servers", () => {
    const onServer = (n: number, server: string) => asked(n, { executor: "mcp", server, name: "delete" })
    const granted = working.and(
      frames(1, 1, onServer(1, "a"), suspended()),
      send(confirmation(10, 1, { type: "allow_session" })),
      start(1, 2)
    )
    granted
      .when(frames(2, 1, onServer(2, "a"), onServer(3, "b"), asked(4, { name: "delete" })))
      .thenEvents(
        { _tag: "ToolRequested", awaits: "nothing" },
        { _tag: "ToolRequested", awaits: "confirmation" },
        { _tag: "ToolRequested", awaits: "confirmation" }
      )
  })

  it("of a worker's call leaves its result to come", () => {
    const story = working.and(frames(1, 1, asked(1, { executor: "worker" }), suspended()))
    story
      .when(send(confirmation(10, 1)))
      .thenEvents("ToolConfirmed")
      .hasStatus("idle", "requires_action")
      .when(send(result(11, 1, "worker")))
      .thenEvents("ToolAnswered", "TurnResumed", "StatusChanged")
  })

  it("that nobody gives in time lets the call expire", () => {
    const story = working.and(frames(1, 1, asked(1, { expiresAt: 2_000_000 }), suspended()))
    story
      .when(wake)
      .thenEvents()
      .later(1_000_000)
      .when(wake)
      .thenEvents(
        { _tag: "ToolConfirmed", inputId: null, decision: { type: "expired" } },
        { _tag: "ToolFinished", outcome: "expired" },
        "TurnResumed",
        "StatusChanged"
      )
      .when(send(confirmation(10, 1)))
      .thenRejected("UnknownCall")
  })

  it("that came while the attempt works is closed when it ends", () => {
    for (const body of [frames(1, 2, completed()), frames(1, 2, suspended()), lose(1)]) {
      working
        .and(frames(1, 1, asked(1)), send(confirmation(10, 1, deny("no"))))
        .when(body)
        .thenEvent({ _tag: "ToolFinished", callId: callId(1), outcome: "denied" })
    }
  })
})

describe("results and answers", () => {
  it("fit the call that waits for them", () => {
    const story = working.and(frames(1, 1, asked(1), forClient(2), question(3), suspended()))
    story.when(send(confirmation(10, 2))).thenRejected({ _tag: "CallNotAwaiting", awaits: "result" })
    story.when(send(result(10, 1))).thenRejected({ _tag: "CallNotAwaiting", awaits: "confirmation" })
    story.when(send(answer(10, 2))).thenRejected("CallNotAwaiting")
    story.when(send(result(10, 2, "worker"))).thenRejected({ _tag: "Invalid", field: "executor" })
  })

  it("may come before the turn is suspended, once", () => {
    working
      .and(frames(1, 1, forClient(1, { requestId: requestId(1) })))
      .when(send(result(10, 1)))
      .thenEvents({ _tag: "ToolAnswered", inputId: inputId(10) })
      .when(send(result(11, 1)))
      .thenRejected("UnknownCall")
  })

  it("find their call in whatever thread it is", () => {
    working
      .and(
        openThread(2),
        send(message(2, { threadId: threadId(2) })),
        start(2, 2, 2),
        frames(2, 1, forClient(1), suspended())
      )
      .when(send(result(10, 1)))
      .thenEvents(
        { _tag: "ToolAnswered", threadId: threadId(2) },
        { _tag: "TurnResumed", threadId: threadId(2) },
        "StatusChanged"
      )
  })

  it("go on being owed when the attempt is lost", () => {
    working
      .and(frames(1, 1, requested(1, { readOnly: true }), started(1), forClient(2)))
      .when(lose(1))
      .thenEvents(
        "AttemptLost",
        { _tag: "ToolFinished", callId: callId(1), outcome: "unknown" },
        { _tag: "TurnSuspended", reason: "requires_action", frame: null },
        "StatusChanged"
      )
      .when(send(result(10, 2)))
      .thenEvents("ToolAnswered", "TurnResumed", "StatusChanged")
  })
})
