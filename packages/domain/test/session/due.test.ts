import { assert, describe, it } from "@effect/vitest"
import { nextDue } from "../../src/session/due.ts"
import { after, type Story } from "./given.ts"
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

/** A wake at the moment that was named settles it: the next one named is later, or there is none. */
const settledBy = (story: Story, dueAt: number, next: number | null) => {
  assert.strictEqual(nextDue(story.session), dueAt)
  const before = story.later(dueAt - story.now - 1)
  assert.deepStrictEqual(before.when(wake).events, [])
  const woken = before.later(1).and(wake)
  assert.notDeepEqual(woken.log, story.log)
  assert.strictEqual(nextDue(woken.session), next)
}

const working = (...budget: ReadonlyArray<ReturnType<typeof limit>>) =>
  after(open({ budget }), send(message(1)), start(1))
const setTimer = (dueAt: number) =>
  ({ _tag: "SetTimer", timerId: timerId(dueAt), dueAt, name: "t", payload: null }) as const
const startedAt = (story: Story, thread = 1) => {
  const { phase } = story.turn(thread)
  return phase._tag === "Working" ? phase.startedAt : assert.fail("it does not work")
}

describe("what falls due by itself", () => {
  it("is nothing where nothing waits for time", () => {
    assert.isNull(nextDue(after(open()).session))
    assert.isNull(nextDue(working().session))
    // A retry has a time too, but no wake begins it.
    assert.isNull(nextDue(working().and(frames(1, 1, failed(true, 5_000))).session))
  })

  it("is the first timer, and then the next", () => {
    const story = after(open(), setTimer(3_000_000), setTimer(2_000_000))
    settledBy(story, 2_000_000, 3_000_000)
  })

  it("is nothing once the session is archived", () => {
    assert.isNull(nextDue(after(open(), setTimer(3_000_000), archive).session))
  })

  it("is the end of an approval's time", () => {
    settledBy(working().and(frames(1, 1, asked(1, { expiresAt: 2_000_000 }), suspended())), 2_000_000, null)
  })

  it("is the deadline of an interrupt that nobody confirmed", () => {
    const story = working().and(send(interrupt(2)))
    settledBy(story, story.turn().interrupt!.deadline, null)
  })

  it("is the moment at which a limit on working time is come up to, said once", () => {
    for (const scope of ["session", "turn"] as const) {
      for (const enforcement of ["hard", "soft"] as const) {
        const story = working(limit("active_ms", 5_000, { scope, enforcement }))
        settledBy(story, startedAt(story) + 5_000, null)
      }
    }
  })

  it("is the moment at which working time alone comes up to a limit on cost, where it has a price", () => {
    const story = working(limit("cost_micro_usd", 3, { hourMicroUsd: 80_000 }))
    settledBy(story, startedAt(story) + 135, null)
    assert.isNull(nextDue(working(limit("cost_micro_usd", 3)).session))
  })

  it("comes sooner where two threads work on one limit", () => {
    const one = working(limit("active_ms", 5_000)).and(openThread(2))
    const two = one.and(send(message(2, { threadId: threadId(2) })), start(2, 2, 2))
    const apart = startedAt(two, 2) - startedAt(two)
    settledBy(two, startedAt(two, 2) + Math.ceil((5_000 - apart) / 2), null)
  })
})
