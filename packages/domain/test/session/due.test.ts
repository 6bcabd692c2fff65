import { assert, describe, it } from "@effect/vitest"
import { nextDue } from "../../src/session/due.ts"
import { after } from "./given.ts"
import type { Story } from "./given.ts"
import {
  archive,
  asked,
  failed,
  frames,
  interrupt,
  limit,
  message,
  open,
  openThread,
  send,
  start,
  suspended,
  threadId,
  timerId,
  wake
} from "./make.ts"

const working = after(open(), send(message(1)), start(1))
const timer = { _tag: "SetTimer", timerId: timerId(1), dueAt: 2_000_000, name: "t", payload: null } as const
const due = (story: Story) => nextDue(story.session)

describe("the next moment that something is due", () => {
  it("is that of a timer, an expiry, a retry or an unconfirmed interrupt", () => {
    assert.strictEqual(due(working), null)
    assert.strictEqual(due(after(open(), timer)), 2_000_000)
    assert.strictEqual(due(working.and(frames(1, 1, asked(1, { expiresAt: 3_000_000 }), suspended()))), 3_000_000)
    assert.strictEqual(due(working.and(frames(1, 1, failed(true, 500)))), working.now + 500)
    assert.strictEqual(due(working.and(send(interrupt(10)))), working.now + 10_000)
  })

  it("is when working time is used up, which two threads do twice as fast, and then no more", () => {
    const story = after(open({ budget: [limit("active_ms", 1_000)] }), send(message(1)), start(1))
    const began = story.now - 10
    assert.strictEqual(due(story), began + 1_000)
    const both = story.and(openThread(2), send(message(2, { threadId: threadId(2) })), start(2, 2, 2))
    assert.strictEqual(due(both), began + 515)
    assert.strictEqual(due(story.later(1_000).and(wake)), null)
  })

  it("never comes in a session that has ended", () => {
    assert.strictEqual(due(after(open(), timer, archive)), null)
  })
})
