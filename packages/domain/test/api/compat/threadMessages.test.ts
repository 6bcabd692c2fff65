import { assert, describe, it } from "@effect/vitest"
import { EventId } from "../../../src/Ids.ts"
import { toCompat } from "../../../src/api/compat/toCompat.ts"
import { after } from "../../session/given.ts"
import { inputId, messageThread, nth, open, openThread, send, message, threadId } from "../../session/make.ts"

const { log } = after(open(), openThread(2), send(message(1)), messageThread(5, 1, 2))
/** What the stream of a thread shows of what was said between threads, and of messages from outside. */
const shown = (thread: number) =>
  log
    .map((event, index) => ({ seq: index + 1, event, eventId: EventId.make(nth("Event", 500 + index)), recordedAt: 0 }))
    .flatMap((logged) => toCompat(logged as never, { primary: threadId(thread), agentName: "helper" }))
    .filter(({ type }) => type.includes("message"))
    .map(({ id, type, ...rest }) => [
      type,
      id === inputId(5),
      rest["from_session_thread_id"] ?? rest["to_session_thread_id"]
    ])

describe("what one thread tells another", () => {
  it("is sent in the stream of the one", () => {
    assert.deepStrictEqual(shown(1), [
      ["user.message", false, undefined],
      ["agent.thread_message_sent", false, threadId(2)]
    ])
  })

  it("is received in that of the other, under the message's id, and is no user's", () => {
    assert.deepStrictEqual(shown(2), [["agent.thread_message_received", true, threadId(1)]])
  })
})

describe("a thread that is shown by itself", () => {
  const types = (isChild: boolean) =>
    log
      .map((event, index) => ({ event, eventId: EventId.make(nth("Event", 500 + index)), recordedAt: 0 }))
      .flatMap((logged) => toCompat(logged, { primary: threadId(2), agentName: "helper", isChild }))
      .map(({ session_thread_id, type }) => `${type} ${String(session_thread_id)}`)

  it("shows its own status, and neither the session's nor another thread's", () => {
    assert.include(types(true), `session.thread_status_running ${threadId(2)}`)
    const others = types(true).filter((one) => one.includes(threadId(1)) || one.startsWith("session.status_"))
    assert.isEmpty(others)
    assert.notInclude(types(true), `session.thread_created ${threadId(2)}`)
  })
})
