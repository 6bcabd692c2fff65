import { assert, describe, it } from "@effect/vitest"
import type { FrameBody } from "../../../src/session/Frame.ts"
import { after } from "../given.ts"
import {
  callId,
  completed,
  failed,
  finished,
  frames,
  interruptedFrame,
  lose,
  message,
  open,
  requested,
  requestEnded,
  requestStarted,
  send,
  start,
  started,
  subagentEnded,
  subagentId,
  subagentStarted,
  suspended
} from "../make.ts"

const working = after(open(), send(message(1)), start(1))
const called = working.and(frames(1, 1, requested(1), started(1)))
const helped = called.and(frames(1, 3, subagentStarted(1, { callId: callId(1) })))

describe("a sub-agent", () => {
  it("is told from its start to its end, with what it was asked and what came of it", () =>
    helped
      .when(frames(1, 4, subagentEnded(1)))
      .thenEvents({
        _tag: "SubagentEnded",
        subagentId: subagentId(1),
        callId: callId(1),
        outcome: "succeeded",
        summary: "found it"
      })
      .when(frames(1, 5, finished(1), completed()))
      .thenEvents("ToolFinished", "TurnCompleted", "StatusChanged"))

  it("may begin others, and outlive the call that it works for", () =>
    helped
      .and(frames(1, 4, subagentStarted(2, { parentId: subagentId(1) }), finished(1), subagentEnded(1)))
      .when(frames(1, 7, subagentEnded(2), completed()))
      .thenEvents({ _tag: "SubagentEnded", callId: null }, "TurnCompleted", "StatusChanged"))

  it("asks models in its own name, and what that used is the turn's", () => {
    const asked = { ...requestStarted(1), subagentId: subagentId(1) }
    const story = helped.and(frames(1, 4, asked, requestEnded(1)))
    story.when(frames(1, 6, subagentEnded(1), finished(1), completed())).accepted()
    assert.strictEqual(story.turn().totals.modelRequests, 1)
  })

  it("ends with its attempt, the last one first, where nobody said how it ended", () => {
    const two = helped.and(frames(1, 4, subagentStarted(2, { parentId: subagentId(1) })))
    for (const end of [
      frames(1, 5, completed()),
      frames(1, 5, suspended()),
      frames(1, 5, interruptedFrame),
      frames(1, 5, failed(true)),
      frames(1, 5, failed(false)),
      lose(1)
    ]) {
      const ended = two
        .when(end)
        .accepted()
        .log.slice(two.log.length)
        .flatMap((event) => (event._tag === "SubagentEnded" ? [[event.subagentId, event.outcome, event.frame]] : []))
      assert.deepStrictEqual(ended, [
        [subagentId(2), "unknown", null],
        [subagentId(1), "unknown", null]
      ])
    }
  })

  it("is not believed where nothing can be true of it", () => {
    const refused = (story: typeof working, n: number, body: FrameBody) =>
      story.when(frames(1, n, body)).thenRejected("ProtocolViolation")
    refused(working, 1, subagentEnded(1))
    refused(working, 1, subagentStarted(1, { callId: callId(1) }))
    refused(working, 1, subagentStarted(1, { parentId: subagentId(2) }))
    refused(working, 1, { ...requestStarted(1), subagentId: subagentId(1) })
    refused(working.and(frames(1, 1, requested(1))), 2, subagentStarted(1, { callId: callId(1) }))
    refused(helped, 4, subagentStarted(1))
    refused(helped.and(frames(1, 4, subagentEnded(1))), 5, subagentEnded(1))
  })
})
