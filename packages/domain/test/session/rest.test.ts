import { assert, describe, it } from "@effect/vitest"
import { nextDue } from "../../src/session/due.ts"
import type { Lifecycle } from "../../src/session/Opening.ts"
import { leftOn } from "../../src/session/rest.ts"
import { wakeAt } from "../../src/session/standing.ts"
import { after, type Story } from "./given.ts"
import {
  asked,
  completed,
  failed,
  frames,
  interrupt,
  message,
  open,
  openThread,
  pause,
  remove,
  resume,
  retry,
  sandboxId,
  send,
  start,
  suspended,
  systemMessage,
  threadId,
  timerId,
  turnId,
  wake
} from "./make.ts"

const opened = (part: Partial<Lifecycle>, ...inputs: ReadonlyArray<ReturnType<typeof message>>) =>
  after(open({ lifecycle: { onIdle: "retain", keepFailed: false, ttlMs: null, ...part }, inputs }))
const timer = { _tag: "SetTimer", timerId: timerId(1), dueAt: 1_500_000, name: "t", payload: null } as const
const ended = ({ session }: Story) => session.ended

/** A wake just before the session's time changes nothing; one at its time deletes it. */
const goesAt = (story: Story, dueAt: number) => {
  assert.deepStrictEqual([nextDue(story.session), wakeAt(story.session)], [dueAt, dueAt])
  const before = story.later(dueAt - story.now - 1)
  assert.deepStrictEqual(before.when(wake).events, [])
  before.later(1).when(wake).thenEvents("SessionDeleted", "StatusChanged").hasStatus("terminated")
}

const stays = (story: Story) => {
  assert.deepStrictEqual([nextDue(story.session), ended(story)], [null, null])
  assert.deepStrictEqual(story.later(10_000_000).when(wake).events, [])
}

describe("a session with a time to live", () => {
  const ttlMs = 60_000

  it("goes that long after it was opened, if nothing comes", () => {
    const story = opened({ ttlMs })
    goesAt(story, story.session.createdAt + ttlMs)
  })

  it("stays while a turn runs or waits, and goes that long after it came to rest", () => {
    const running = opened({ ttlMs }, message(1), message(2)).and(start(1))
    stays(running)
    stays(running.and(frames(1, 1, asked(1), suspended())))
    const second = running.and(frames(1, 1, completed()), start(2))
    stays(second)
    const done = second.later(500_000).and(frames(2, 1, completed()))
    goesAt(done, done.session.activeAt + ttlMs)
    assert.strictEqual(done.session.activeAt, second.now + 500_000)
  })

  it("lives on with whatever is done to it", () => {
    const story = opened({ ttlMs }).later(50_000)
    for (const body of [send(systemMessage(1)), { _tag: "Update", title: "a" }, openThread(2)] as const) {
      goesAt(story.and(body), story.now + ttlMs)
    }
    goesAt(story.and(pause).later(500_000).and(resume), story.now + 500_000 + ttlMs + 10)
  })

  it("stays while somebody has paused it, or a message waits for approval", () => {
    stays(opened({ ttlMs }).and(pause))
    stays(opened({ ttlMs }, message(1, { needsApproval: true })))
  })

  it("waits for its timers, and lives on after the last of them", () => {
    const story = opened({ ttlMs }).and(timer)
    assert.strictEqual(nextDue(story.session), timer.dueAt)
    const fired = story
      .later(timer.dueAt - story.now)
      .when(wake)
      .thenEvents("TimerFired")
    goesAt(fired, timer.dueAt + ttlMs)
  })

  it("stays if its last turn failed and such are kept, until one is better", () => {
    const story = (keepFailed: boolean) =>
      opened({ ttlMs, keepFailed }, message(1)).and(start(1), frames(1, 1, failed(false)))
    stays(story(true))
    goesAt(story(false), story(false).session.activeAt + ttlMs)
    const better = story(true).and(retry(1), start(1, 2), frames(2, 1, completed()))
    goesAt(better, better.session.activeAt + ttlMs)
  })
})

describe("a session that lives for its turns", () => {
  const working = opened({ onIdle: "delete" }, message(1), message(2)).and(start(1))

  it("goes with the last of them, and is shown to rest first", () => {
    working
      .when(frames(1, 1, completed()))
      .thenEvents("TurnCompleted", "TurnStarted", "MessageTaken")
      .and(start(2))
      .when(frames(2, 1, completed()))
      .thenEvents(
        "TurnCompleted",
        { _tag: "StatusChanged", session: { status: "idle", stop: { type: "end_turn" } } },
        "SessionDeleted",
        { _tag: "StatusChanged", session: { status: "terminated", stop: null } }
      )
      .when(send(message(3)))
      .thenRejected("Ended")
  })

  it("stays until it had one", () => {
    stays(opened({ onIdle: "delete" }))
    stays(opened({ onIdle: "delete" }).and(send(systemMessage(1))))
  })

  it("stays for all of its threads", () => {
    const both = working
      .and({ _tag: "WithdrawTurn", turnId: turnId(2), queueVersion: null }, openThread(2))
      .and(send(message(3, { threadId: threadId(2) })), start(3, 3, 2))
      .and(frames(1, 1, completed()))
    stays(both)
    assert.strictEqual(ended(both.and(frames(3, 1, completed()))), "deleted")
  })

  it("goes after one that failed, unless such are kept", () => {
    const gone = (keepFailed: boolean) =>
      opened({ onIdle: "delete", keepFailed }, message(1)).and(start(1), frames(1, 1, failed(false)))
    assert.strictEqual(ended(gone(false)), "deleted")
    stays(gone(true))
    assert.strictEqual(ended(gone(true).and(retry(1), start(1, 2), frames(2, 1, completed()))), "deleted")
  })

  it("stays where a person stopped it: they may have more to say", () => {
    const stopped = opened({ onIdle: "delete" }, message(1)).and(send(interrupt(5)))
    stays(stopped)
    assert.strictEqual(ended(stopped.and(send(message(6)), start(6), frames(6, 1, completed()))), "deleted")
  })

  it("waits for its timers, and goes with the last of them", () => {
    const story = opened({ onIdle: "delete" }, message(1)).and(timer, start(1), frames(1, 1, completed()))
    assert.strictEqual(ended(story), null)
    const fired = story.later(timer.dueAt - story.now).and(wake)
    assert.strictEqual(ended(fired), "deleted")
  })
})

describe("a session that is deleted", () => {
  const sandbox = { sandboxId: sandboxId(1), runnerId: "rnr", backend: "bubblewrap" }
  const created = { _tag: "SandboxCreated", ...sandbox, isolation: "namespaces" } as const
  const lost = { _tag: "SandboxLost", sandboxId: sandboxId(1), reason: "gone" } as const
  const worked = (part: Partial<Lifecycle>, ...bodies: ReadonlyArray<typeof created | typeof lost>) =>
    opened(part, message(1)).and(start(1), frames(1, 1, ...bodies), frames(1, bodies.length + 1, completed()))

  it("leaves its place to its runner, whoever deleted it", () => {
    const resting = worked({}, created)
    assert.isNull(leftOn(resting.session))
    assert.strictEqual(leftOn(resting.and(remove).session), "rnr")
    assert.strictEqual(leftOn(worked({ onIdle: "delete" }, created).session), "rnr")
  })

  it("leaves nothing where there is nothing any more", () => {
    assert.isNull(leftOn(opened({}).and(remove).session))
    assert.isNull(leftOn(worked({}, created, lost).and(remove).session))
  })
})
