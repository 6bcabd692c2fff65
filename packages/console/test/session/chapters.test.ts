import type { LogEvent } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { rowsOfChapter, type Sizes } from "../../src/session/chapters.logic.ts"
import { tell, type Told, untold } from "../../src/session/fold.logic.ts"
import { primaryOf, type Row, rowsOf } from "../../src/session/rows.logic.ts"
import { endOf } from "../../src/session/turn.logic.ts"
import { longLog } from "./longLog.ts"

const log = longLog().take(3_000).toArray()
const small: Sizes = { chapter: 50, kept: 100 }
const all: Sizes = { chapter: Number.POSITIVE_INFINITY, kept: 0 }

const inParts = (size: number, sizes: Sizes): Told => {
  let told = untold
  for (let at = 0; at < log.length; at += size) told = tell(told, log.slice(at, at + size), sizes).told
  return told
}
const liveRows = ({ timeline }: Told) => rowsOf(primaryOf(timeline)!, new Map())

/** A row as people see it: of the end of a turn, what it says. */
const seen = (row: Row) => (row.kind === "end" ? { ...row, turn: endOf(row.turn) } : row)

describe("a session whose past is not kept", () => {
  const whole = liveRows(inParts(log.length, all))
  const told = inParts(100, small)

  it("keeps its end, and of the rest where it is", () => {
    const items = primaryOf(told.timeline)!.turns.reduce((sum, turn) => sum + turn.items.length, 0)
    assert.isBelow(items, 2 * (small.kept + small.chapter))
    assert.isAbove(told.chapters.length, 10)
    assert.strictEqual(told.seen, log.length)
    let next = 1
    for (const { from, to } of told.chapters) {
      assert.strictEqual(from, next)
      next = to + 1
    }
    assert.strictEqual(told.from, next)
  })

  it("shows the same as one of which all is kept, once its parts are fetched again", () => {
    const past = told.chapters.flatMap((chapter) => {
      const rows = rowsOfChapter(chapter, told.timeline, log.slice(chapter.from - 1, chapter.to))
      assert.strictEqual(rows.length, chapter.rows, `from ${chapter.from}`)
      return rows
    })
    assert.deepStrictEqual([...past, ...liveRows(told)].map(seen), whole.map(seen))
  })

  it("is the same however its log came", () => {
    const others = inParts(7, small)
    const past = others.chapters.flatMap((chapter) =>
      rowsOfChapter(chapter, others.timeline, log.slice(chapter.from - 1, chapter.to))
    )
    assert.deepStrictEqual([...past, ...liveRows(others)].map(seen), whole.map(seen))
  })

  const turnIdOf = ({ payload }: LogEvent) => (payload as unknown as { readonly turnId: string }).turnId

  it("shows a turn of the past that is tried again, where that happens", () => {
    const [first] = log.filter(({ type }) => type === "TurnStarted")
    const seq = told.seen + 1
    const event = { ...first!, seq, type: "TurnRetried" } as LogEvent
    const again = tell(told, [event], small).told
    const turn = primaryOf(again.timeline)!.turns.at(-1)!
    assert.strictEqual(turn.turnId, turnIdOf(first!))
    assert.isTrue(liveRows(again).some((row) => row.kind === "note" && row.seq === seq))
  })

  it("keeps what is short as it is", () => {
    const short = tell(untold, log.slice(0, 400)).told
    assert.deepStrictEqual(short.chapters, [])
    assert.deepStrictEqual(liveRows(short), liveRows(tell(untold, log.slice(0, 400), all).told))
  })
})
