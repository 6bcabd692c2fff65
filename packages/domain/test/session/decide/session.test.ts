import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/Json.ts"
import { text } from "../../../src/session/Content.ts"
import { after, given, type Story } from "../given.ts"
import {
  archive,
  asked,
  block,
  completed,
  confirmation,
  failed,
  frames,
  hash,
  inputId,
  interrupt,
  interruptedFrame,
  message,
  open,
  openThread,
  outcome,
  pause,
  remove,
  requestStarted,
  resume,
  result,
  send,
  sessionId,
  start,
  steerTaken,
  suspended,
  systemMessage,
  threadId,
  timerId,
  turnId,
  wake,
  withdraw
} from "../make.ts"

const update = (part: object) => ({ _tag: "Update", ...part }) as const
const chain = hash(9)

describe("opening", () => {
  it("leaves the session at rest", () => {
    given().when(open()).thenEvents("SessionOpened").hasStatus("idle", "end_turn")
  })

  it("starts the first of its inputs at once", () => {
    given()
      .when(open({ inputs: [message(1), message(2)] }))
      .thenEvents(
        "SessionOpened",
        "MessageReceived",
        "TurnQueued",
        "MessageReceived",
        "TurnQueued",
        { _tag: "TurnStarted", turnId: turnId(1) },
        { _tag: "MessageTaken", content: text("message 1") },
        { _tag: "StatusChanged", session: { status: "running", stop: null } }
      )
  })

  it("of a fork copies the conversation that it continues", () => {
    const origin = { type: "fork", sessionId: sessionId(2), seq: 7, chain } as const
    given()
      .when(open({ origin, history: [{ role: "user" }] }))
      .thenEvents({ _tag: "SessionOpened", origin }, { _tag: "HistoryCopied", items: [{ role: "user" }] })
  })

  it("is refused twice, and so is everything before it", () => {
    after(open()).when(open()).thenRejected("AlreadyOpen")
    for (const body of [send(message(1)), pause, wake, archive]) given().when(body).thenRejected("NotOpen")
  })

  it("is refused whole when one of its inputs is", () => {
    given()
      .when(open({ inputs: [message(1), confirmation(2, 1)] }))
      .thenRejected("UnknownCall")
  })
})

describe("an update", () => {
  it("says only what changes", () => {
    after(open({ title: "a", labels: ["x"] }))
      .when(update({ title: "b", labels: ["x"], visibility: "private" }))
      .thenEvents({ _tag: "SessionUpdated", title: "b", labels: undefined, visibility: undefined })
  })

  it("sets keys of the metadata, takes away those given as null, and tells the whole", () => {
    after(open({ metadata: { a: "1", b: "2" } }))
      .when(update({ metadata: { b: null, c: "3" } }))
      .thenEvents({ _tag: "SessionUpdated", metadata: { a: "1", c: "3" } })
      .when(update({ metadata: { c: "3" } }))
      .thenEvents({ _tag: "SessionUpdated", metadata: undefined })
  })

  it("can take the title away", () => {
    after(open({ title: "a" }))
      .when(update({ title: null }))
      .thenEvents({ _tag: "SessionUpdated", title: null })
  })

  const reconfigure = (digest: number, thread: number | null) =>
    ({
      _tag: "Reconfigure",
      threadId: thread === null ? null : threadId(thread),
      changes: { tools: [] },
      digest: hash(digest)
    }) as const
  const digests = ({ session }: Story) => session.threads.map(({ agentDigest }) => agentDigest)

  it("to the agent waits until nothing runs", () => {
    after(open(), send(message(1)))
      .when(reconfigure(5, null))
      .thenRejected("Busy")
  })

  it("to the agent is one of a thread", () => {
    const story = after(open(), openThread(2), openThread(3))
      .when(reconfigure(5, 2))
      .thenEvents({ _tag: "AgentReconfigured", threadId: threadId(2) })
    assert.deepStrictEqual(digests(story), [hash(1), hash(5), hash(1)])
    assert.deepStrictEqual(digests(story.and(reconfigure(6, 1))), [hash(6), hash(5), hash(1)])
    story.when(reconfigure(5, 9)).thenRejected("UnknownThread")
  })

  it("to the agent is one of all threads, those that come later as well", () => {
    const story = after(open(), openThread(2))
      .when(reconfigure(5, null))
      .thenEvents({ _tag: "AgentReconfigured", threadId: null })
    assert.deepStrictEqual(digests(story.and(openThread(3))), [hash(5), hash(5), hash(5)])
  })

  it("leaves a thread the agent that it was opened with", () => {
    const { agent } = open()
    const own = { ...openThread(2), agent: { ...agent, digest: hash(7) } as unknown as JsonObject }
    assert.deepStrictEqual(digests(after(open(), own)), [hash(1), hash(7)])
  })
})

describe("archiving and deleting", () => {
  const running = after(open(), send(message(1)), start(1))

  it("are refused while a turn runs or is about to run again", () => {
    for (const body of [archive, remove]) {
      after(open(), send(message(1)))
        .when(body)
        .thenRejected("Busy")
      running.when(body).thenRejected("Busy")
      running
        .and(frames(1, 1, failed(true)))
        .hasStatus("rescheduling")
        .when(body)
        .thenRejected("Busy")
    }
  })

  it("end a turn that waits", () => {
    for (const [body, event] of [
      [archive, "SessionArchived"],
      [remove, "SessionDeleted"]
    ] as const) {
      running
        .and(frames(1, 1, asked(1), suspended()))
        .when(body)
        .thenEvents({ _tag: "ToolFinished", outcome: "interrupted" }, "TurnInterrupted", event, "StatusChanged")
        .hasStatus("terminated")
    }
  })

  it("work at rest, while paused, and one after the other", () => {
    after(open(), archive, remove).when(remove).thenRejected("Ended")
    after(open(), pause, send(message(1)), archive)
      .when(archive)
      .thenRejected("Ended")
    running
      .and(frames(1, 1, completed()), remove)
      .when(wake)
      .thenEvents()
  })

  it("leave a session that takes nothing more", () => {
    const archived = after(open(), archive)
    for (const body of [send(message(1)), pause, resume, update({}), openThread(2)]) {
      archived.when(body).thenRejected("Ended")
    }
    archived.when({ _tag: "NoteFork", childId: sessionId(2), seq: 1 }).thenEvents("ForkPointed")
    archived
      .and(remove)
      .when({ _tag: "NoteFork", childId: sessionId(2), seq: 1 })
      .thenRejected("Ended")
  })
})

describe("timers", () => {
  const set = { _tag: "SetTimer", timerId: timerId(1), dueAt: 2_000_000, name: "t", payload: null } as const

  it("fire once, and not before their time", () => {
    after(open(), set)
      .when(wake)
      .thenEvents()
      .later(2_000_000)
      .when(wake)
      .thenEvents({ _tag: "TimerFired", timerId: timerId(1) })
      .when(wake)
      .thenEvents()
  })

  it("can be cancelled, once", () => {
    const cancel = { _tag: "CancelTimer", timerId: timerId(1) } as const
    after(open(), set)
      .when(cancel)
      .thenEvents("TimerCancelled")
      .when(cancel)
      .thenRejected({ _tag: "UnknownTimer", timerId: timerId(1) })
      .later(2_000_000)
      .when(wake)
      .thenEvents()
  })

  it("have ids of their own", () => {
    after(open(), set).when(set).thenRejected("IdTaken")
  })

  it("do not fire in a session that has ended", () => {
    after(open(), set, archive).later(2_000_000).when(wake).thenEvents()
  })
})

describe("forks and redactions", () => {
  const point = (n: number, seq: number) => ({ _tag: "NoteFork", childId: sessionId(n), seq }) as const
  const redact = (...seqs: ReadonlyArray<number>) =>
    ({ _tag: "RequestRedaction", seqs, reason: "asked to", replacements: seqs.map(hash) }) as const
  const confirm = (...seqs: ReadonlyArray<number>) => ({ _tag: "ConfirmRedaction", seqs }) as const

  it("name the forks that a redaction must reach", () => {
    after(open(), point(2, 5), point(3, 10))
      .when(redact(7, 12))
      .thenEvents({ _tag: "RedactionRequested", forks: [sessionId(3)] })
  })

  it("are asked for, then done, each once", () => {
    after(open(), redact(2, 3))
      .when(redact(3))
      .thenRejected({ _tag: "UnknownSeq", seq: 3 })
      .when(confirm(2, 9))
      .thenEvents({ _tag: "RedactionApplied", seqs: [2] })
      .when(confirm(2))
      .thenEvents()
      .and(confirm(3))
  })

  it("are refused where they make no sense", () => {
    after(open()).when(redact(0)).thenRejected("UnknownSeq")
    after(open()).when(redact(2, 2)).thenRejected({ _tag: "Invalid", field: "seqs" })
    after(open())
      .when({ ...redact(2), replacements: [] })
      .thenRejected({ _tag: "Invalid", field: "replacements" })
    after(open()).when(point(2, 0)).thenRejected("UnknownSeq")
  })
})

describe("other inputs", () => {
  it("are recorded as they come", () => {
    after(open())
      .when(send(systemMessage(1), outcome(2)))
      .thenEvents({ _tag: "SystemMessageReceived", threadId: threadId() }, "OutcomeDefined")
  })

  it("stand behind what they came with, where that is a system message", () => {
    const placed = { _tag: "SystemMessageReceived", inputId: inputId(2) } as const
    const queued = { _tag: "SystemMessageQueued", inputId: inputId(2), follows: inputId(1) } as const
    after(open())
      .when(send(message(1), systemMessage(2, 1)))
      .thenEvents("MessageReceived", "TurnQueued", queued, "TurnStarted", "MessageTaken", placed, "StatusChanged")
    after(open())
      .when(send(outcome(1), systemMessage(2, 1)))
      .thenEvents("OutcomeDefined", placed)
    const busy = after(open(), send(message(5)), start(5))
    busy
      .when(send(message(1), systemMessage(2, 1)))
      .thenEvents("MessageReceived", "TurnQueued", queued)
      .when(frames(5, 1, completed()))
      .thenEvents("TurnCompleted", "TurnStarted", "MessageTaken", placed)
    busy
      .and(send(message(1, { mode: "steer" }), systemMessage(2, 1)))
      .when(frames(5, 1, requestStarted(1), steerTaken(1), block(1)))
      .thenEvents("ModelRequestStarted", "MessageTaken", placed, "MessageBlock")
    busy
      .and(send(interrupt(1), systemMessage(2, 1)))
      .when(frames(5, 1, interruptedFrame))
      .thenEvents("TurnInterrupted", placed, "StatusChanged")
    busy
      .and(send(interrupt(1), systemMessage(2, 1)))
      .when(frames(5, 1, completed()))
      .thenEvents("TurnCompleted", placed, "StatusChanged")
  })

  it("go with the message that they came with when it is withdrawn", () => {
    const left = after(open(), send(message(5)), start(5), send(message(1), systemMessage(2, 1))).and(withdraw(1))
    assert.deepStrictEqual(left.session.threads[0]!.systemMessages, [])
    left.when(frames(5, 1, completed())).thenEvents("TurnCompleted", "StatusChanged")
  })

  it("are refused whole when one is, or when two share an id", () => {
    after(open())
      .when(send(message(1), result(2, 1)))
      .thenRejected("UnknownCall")
    after(open())
      .when(send(systemMessage(1), interrupt(1)))
      .thenRejected("IdTaken")
  })

  it("that others reserve pass by", () => {
    after(open())
      .when({ _tag: "Note", event: { _tag: "SkillLoaded", name: "pdf", version: "1" } })
      .thenEvents("SkillLoaded")
  })
})
