import type { Turn } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { rowsOfChapter } from "../../src/session/chapters.logic.ts"
import { tell, untold } from "../../src/session/fold.logic.ts"
import { beginningsOf, chaptersBefore, knowsWhatWaits, tailFrom, toldBefore } from "../../src/session/past.logic.ts"
import { primaryOf, type Row, rowsOf } from "../../src/session/rows.logic.ts"
import { endOf } from "../../src/session/turn.logic.ts"
import { longLog } from "./longLog.ts"

const log = longLog().take(6_000).toArray()
const threadId = primaryOf(tell(untold, log.slice(0, 1)).told.timeline)!.threadId
const turns = log.flatMap(({ seq, type }) =>
  type === "TurnStarted" ? [{ thread_id: threadId, started_seq: seq, ended_seq: null } as unknown as Turn] : []
)
const beginnings = beginningsOf(turns, threadId)
const all = { chapter: Number.POSITIVE_INFINITY, kept: 0 }
const rows = (events: typeof log, told = untold) => {
  const { timeline } = tell(told, events, all).told
  return rowsOf(primaryOf(timeline)!, new Map())
}
const seen = (row: Row) => (row.kind === "end" ? { ...row, turn: endOf(row.turn) } : row)

describe("a session whose end comes first", () => {
  const from = tailFrom(turns, beginnings)
  const chapters = chaptersBefore(beginnings, from, false)
  const told = toldBefore(log[0]!, from, chapters)

  it("begins with a turn, far enough from the end", () => {
    assert.include(beginnings, from)
    assert.isAtLeast(log.length - from, 1_500)
    assert.isBelow(log.length - from, 2_200)
  })

  it("shows what one shows that was read whole, once its past is read", () => {
    const tail = tell(told, log.slice(from - 1), all).told
    assert.strictEqual(tail.seen, log.length)
    const past = chapters.flatMap((chapter) =>
      rowsOfChapter(chapter, tail.timeline, log.slice(chapter.from - 1, chapter.to))
    )
    const end = rowsOf(primaryOf(tail.timeline)!, new Map())
    assert.deepStrictEqual([...past, ...end].map(seen), rows(log).map(seen))
  })

  it("has its past in parts without a gap, each from one turn to another", () => {
    let next = 1
    for (const { from: begin, to } of chapters) {
      assert.strictEqual(begin, next)
      next = to + 1
    }
    assert.strictEqual(next, from)
    assert.isTrue(chapters.slice(1).every((chapter) => beginnings.includes(chapter.from)))
    assert.isTrue(chapters.slice(0, -1).every((chapter) => chapter.to - chapter.from >= 399))
  })

  it("divides what is before the turns that are known when it is looked at", () => {
    const known = beginnings.slice(-12)
    const [undivided, ...rest] = chaptersBefore(known, from, true)
    assert.deepInclude(undivided, { from: 1, to: known[0]! - 1, isUndivided: true })
    const older = beginnings.filter((seq) => seq <= undivided!.to)
    const divided = chaptersBefore(older, undivided!.to + 1, false)
    assert.strictEqual(divided[0]!.from, 1)
    assert.strictEqual(divided.at(-1)!.to + 1, rest[0]!.from)
    assert.isTrue(divided.every(({ isUndivided }) => isUndivided === undefined))
  })

  it("is read whole where it is short", () => {
    const few = turns.slice(0, 4)
    assert.strictEqual(tailFrom(few, beginningsOf(few, threadId)), 1)
    assert.strictEqual(tailFrom([], []), 1)
  })

  it("knows whether something waits that was queued before", () => {
    const tail = tell(told, log.slice(from - 1), all).told
    const waits = (event_id: string, thread_id = threadId) => [{ event_id, thread_id } as unknown as Turn]
    assert.isTrue(knowsWhatWaits(tail, []))
    assert.isFalse(knowsWhatWaits(tail, waits("sevt_before")))
    assert.isTrue(knowsWhatWaits(tail, waits("sevt_before", "sthr_other")))
    const taken = primaryOf(tail.timeline)!
      .turns.at(-1)!
      .items.find(({ kind }) => kind === "message")!
    assert.isTrue(knowsWhatWaits(tail, waits(taken.kind === "message" ? taken.inputId : "")))
  })
})
