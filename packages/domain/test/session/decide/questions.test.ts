import { assert, describe, it } from "@effect/vitest"
import type { Json } from "../../../src/Json.ts"
import type { Question } from "../../../src/session/Question.ts"
import { after } from "../given.ts"
import {
  answer,
  callId,
  completed,
  failed,
  finished,
  frames,
  message,
  open,
  question,
  requested,
  send,
  start,
  started,
  suspended,
  wake
} from "../make.ts"

const options = [{ label: "red" }, { label: "blue" }]
const choice: Question = { kind: "choice", text: "Which?", options, allowOther: false }
const several: Question = { ...choice, kind: "multi_choice" }
const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] }

const asked = (of: Question, expiresAt: number | null = null) =>
  after(open(), send(message(1)), start(1), frames(1, 1, question(1, { question: { ...of }, expiresAt }), suspended()))

const takes = (of: Question, given: Json) =>
  asked(of)
    .when(send(answer(10, 1, given)))
    .thenEvent({ _tag: "QuestionAnswered", answer: given })
    .hasStatus("running")

const refuses = (of: Question, given: Json, why: string) => {
  const { decided } = asked(of).when(send(answer(10, 1, given)))
  assert.strictEqual(decided._tag, "Failure")
  const reason = decided._tag === "Failure" ? decided.failure.reason : undefined
  assert.strictEqual(reason?._tag, "Invalid")
  assert.include(JSON.stringify(reason), why)
}

describe("an answer", () => {
  it("to a question for text is text", () => {
    const words: Question = { kind: "text", text: "What?" }
    takes(words, "this")
    for (const wrong of ["", "  ", 7, null, ["this"], {}]) refuses(words, wrong, "must be text")
    refuses(words, "x".repeat(40_000), "longer")
  })

  it("to a choice is one of its options, or one's own where that will do", () => {
    takes(choice, "blue")
    refuses(choice, "green", "is none of")
    refuses(choice, ["blue"], "must be text")
    takes({ ...choice, allowOther: true }, "green")
    refuses({ ...choice, allowOther: true }, "", "must be text")
  })

  it("to a choice of several is a list of different options", () => {
    takes(several, [])
    takes(several, ["blue", "red"])
    refuses(several, "blue", "list")
    refuses(several, ["blue", "blue"], "twice")
    refuses(several, ["blue", "green"], "is none of")
  })

  it("to a form fits its schema", () => {
    const form: Question = { kind: "form", text: "Fill in", schema }
    takes(form, { n: 1 })
    takes({ ...form, declinable: true }, null)
    refuses(form, { n: "one" }, "integer")
    refuses(form, null, "object")
    asked(form)
      .when(send(answer(10, 1, '{"n":2}')))
      .thenEvent({ _tag: "QuestionAnswered", answer: { n: 2 } })
  })

  it("that was refused leaves the question open", () => {
    asked(choice)
      .when(send(answer(10, 1, "green")))
      .thenRejected("Invalid")
      .hasStatus("idle", "requires_action")
      .when(send(answer(11, 1, "red")))
      .thenEvents({ _tag: "QuestionAnswered", answer: "red" }, "TurnResumed", "StatusChanged")
  })

  it("is given once", () => {
    asked(choice)
      .and(send(answer(10, 1, "red")))
      .when(send(answer(11, 1, "blue")))
      .thenRejected("UnknownCall")
  })

  it("that never comes lets the turn go on without one, once the question has expired", () => {
    const story = asked(choice, 1_000_500)
    story
      .later(1_000)
      .when(wake)
      .thenEvent({ _tag: "ToolFinished", outcome: "expired", isError: true })
      .hasStatus("running")
      .when(send(answer(10, 1, "red")))
      .thenRejected("UnknownCall")
  })
})

describe("a question that a call asks while it runs", () => {
  const within = callId(1)
  const ofCall = (part: Parameters<typeof question>[1] = {}) =>
    question(2, { question: { ...choice }, within, ...part })
  const running = after(open(), send(message(1)), start(1), frames(1, 1, requested(1), started(1)))
  const asking = running.and(frames(1, 3, ofCall()))

  it("is answered while the turn goes on, and the runner is owed the answer until the call ends", () => {
    const answered = asking
      .when(send(answer(10, 2, "red")))
      .thenEvents({ _tag: "QuestionAnswered", answer: "red" })
      .hasStatus("running")
    assert.deepStrictEqual(answered.turn().answers, [{ callId: callId(2), within, answer: "red" }])
    assert.deepStrictEqual(
      answered.turn().calls.map((call) => call.callId),
      [within]
    )
    assert.deepStrictEqual(answered.and(frames(1, 4, finished(1))).turn().answers, [])
  })

  it("ends with the call", () => {
    asking
      .when(frames(1, 4, finished(1)))
      .thenEvents(
        { _tag: "ToolFinished", callId: within },
        { _tag: "ToolFinished", callId: callId(2), outcome: "interrupted" }
      )
      .when(send(answer(10, 2, "red")))
      .thenRejected("UnknownCall")
  })

  it("ends with the attempt: no answer could reach the call any more", () => {
    const story = asking.when(frames(1, 4, failed(true))).accepted()
    assert.deepStrictEqual(story.turn().calls, [])
    story.when(send(answer(10, 2, "red"))).thenRejected("UnknownCall")
  })

  it("expires while the call runs on", () => {
    running
      .and(frames(1, 3, ofCall({ expiresAt: 1_000_500 })))
      .later(1_000)
      .when(wake)
      .thenEvents({ _tag: "ToolConfirmed", callId: callId(2), decision: { type: "expired" } })
      .hasStatus("running")
      .when(frames(1, 4, finished(1), completed()))
      .thenEvents(
        { _tag: "ToolFinished", callId: within },
        { _tag: "ToolFinished", callId: callId(2), outcome: "expired" },
        "TurnCompleted",
        "StatusChanged"
      )
  })

  it("is believed only of a call that runs, and only if it is a question", () => {
    const before = after(open(), send(message(1)), start(1), frames(1, 1, requested(1)))
    before.when(frames(1, 2, ofCall())).thenRejected("ProtocolViolation")
    running.when(frames(1, 3, ofCall({ within: callId(9) }))).thenRejected("ProtocolViolation")
    running.when(frames(1, 3, requested(2, { within }))).thenRejected("ProtocolViolation")
  })
})
