import { assert, describe, it } from "@effect/vitest"
import { statusText, wakeAt } from "../../src/session/standing.ts"
import { after } from "./given.ts"
import type { Story } from "./given.ts"
import {
  archive,
  asked,
  block,
  completed,
  failed,
  forClient,
  frames,
  lose,
  message,
  open,
  pause,
  requested,
  requestStarted,
  send,
  start,
  started,
  suspended,
  timerId,
  wake,
  hash
} from "./make.ts"

const placing = after(open(), send(message(1)))
const working = placing.and(start(1))
const setTimer = (dueAt: number) =>
  ({ _tag: "SetTimer", timerId: timerId(dueAt), dueAt, name: "t", payload: null }) as const
const wakes = (story: Story, expected: number | null) => assert.strictEqual(wakeAt(story.session), expected)

describe("the status", () => {
  it("is recorded when it changes, and only then", () => {
    working.when(frames(1, 1, requestStarted(1), block(1))).thenEvents("ModelRequestStarted", "MessageBlock")
    working.when(send(message(2))).thenEvents("MessageReceived", "TurnQueued")
    after(open()).when(pause).thenEvents("SessionPaused")
  })

  it("is what was recorded last, on whatever replay", () => {
    const story = working.and(frames(1, 1, asked(1), suspended()))
    const last = story.log.findLast((event) => event._tag === "StatusChanged")
    assert.strictEqual(story.session.shown.session, last?.session ? statusText(last.session) : null)
  })

  it("says why a session rests", () => {
    placing.hasStatus("running")
    working.hasStatus("running")
    working.and(frames(1, 1, completed("refusal"))).hasStatus("idle", "refusal")
    working.and(frames(1, 1, failed(true))).hasStatus("rescheduling")
    working.and(frames(1, 1, forClient(1), suspended())).hasStatus("idle", "requires_action")
    working.and(frames(1, 1, requested(1), started(1)), lose(1)).hasStatus("idle", "requires_action")
    placing.and(pause).hasStatus("idle", "paused")
    after(open(), archive).hasStatus("terminated")
  })

  it("tells apart what differs", () => {
    const idle = (stop: Parameters<typeof statusText>[0]["stop"]) => statusText({ status: "idle", stop })
    assert.notStrictEqual(idle({ type: "refusal", details: null }), idle({ type: "refusal", details: { a: 1 } }))
    assert.notStrictEqual(idle({ type: "requires_action", eventIds: [] }), idle({ type: "end_turn" }))
  })
})

describe("the time to wake", () => {
  it("is now while a turn is live or a redaction is owed", () => {
    wakes(placing, 0)
    wakes(working, 0)
    wakes(after(open(), { _tag: "RequestRedaction", seqs: [1], reason: "", replacements: [hash(1)] }, archive), 0)
  })

  it("is the earliest timer, retry or expiry otherwise", () => {
    wakes(after(open(), setTimer(9_000_000), setTimer(8_000_000)), 8_000_000)
    const rescheduled = working.and(setTimer(9_000_000), frames(1, 1, failed(true, 5_000)))
    wakes(rescheduled, rescheduled.now - 10 + 5_000)
    wakes(working.and(frames(1, 1, asked(1, { expiresAt: 7_000_000 }), suspended()), setTimer(9_000_000)), 7_000_000)
    wakes(after(open(), setTimer(-5)), 1)
  })

  it("is never where nothing but people can change something", () => {
    wakes(after(open()), null)
    wakes(placing.and(pause), null)
    wakes(working.and(frames(1, 1, asked(1), suspended())), null)
    wakes(after(open(), setTimer(9_000_000), archive), null)
    wakes(after(open(), setTimer(1)).and(wake), null)
  })
})
