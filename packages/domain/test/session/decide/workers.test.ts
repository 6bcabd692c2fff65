import { assert, describe, it } from "@effect/vitest"
import { toCompat } from "../../../src/api/compat/toCompat.ts"
import { EventId } from "../../../src/Ids.ts"
import { text, unknownOutcomeText } from "../../../src/session/Content.ts"
import { after } from "../given.ts"
import {
  asked,
  callId,
  confirmation,
  forClient,
  frames,
  message,
  nth,
  open,
  requested,
  result,
  send,
  start,
  suspended,
  threadId
} from "../make.ts"

const forWorker = (n: number, readOnly = false) => requested(n, { executor: "worker", awaits: "result", readOnly })
const lost = { _tag: "LoseWorker" } as const
const working = after(open(), send(message(1)), start(1))

describe("a worker that is lost", () => {
  it("leaves what it may have begun of unknown outcome, and the turn goes on", () => {
    working
      .and(frames(1, 1, forWorker(1), suspended()))
      .when(lost)
      .thenEvents(
        { _tag: "ToolFinished", callId: callId(1), executor: "worker", outcome: "unknown", isError: true },
        "TurnResumed",
        "StatusChanged"
      )
      .hasStatus("running")
    working
      .and(frames(1, 1, forWorker(1), suspended()))
      .when(lost)
      .thenEvent({ _tag: "ToolFinished", content: text(unknownOutcomeText) })
  })

  it("leaves to the next one what changes nothing", () => {
    working
      .and(frames(1, 1, forWorker(1, true), suspended()))
      .when(lost)
      .thenEvents()
  })

  it("has begun nothing that nobody has allowed, and nothing that is a client's", () => {
    const confirmed = working.and(frames(1, 1, asked(1, { executor: "worker" }), forClient(2), suspended()))
    confirmed.when(lost).thenEvents()
    confirmed
      .and(send(confirmation(10, 1)))
      .when(lost)
      .thenEvents({ _tag: "ToolFinished", callId: callId(1), outcome: "unknown" }, "StatusChanged")
      .hasStatus("idle", "requires_action")
  })

  it("comes too late with its result", () => {
    working
      .and(frames(1, 1, forWorker(1), suspended()), lost)
      .when(send(result(10, 1, "worker")))
      .thenRejected("UnknownCall")
  })

  it("is not followed by one that makes the call again: it is shown as answered", () => {
    const { log } = working.and(frames(1, 1, forWorker(1), suspended()), lost)
    const shown = log
      .map((event, index) => ({ event, eventId: EventId.make(nth("Event", 500 + index)), recordedAt: 0 }))
      .flatMap((logged) => toCompat(logged, { primary: threadId(), agentName: "helper" }))
    const [answer] = shown.filter(({ type }) => type === "user.tool_result")
    assert.deepInclude(answer, { tool_use_id: callId(1), is_error: true })
    assert.isEmpty(shown.filter(({ type }) => type === "agent.tool_result"))
  })
})
