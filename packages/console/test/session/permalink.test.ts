import { assert, describe, it } from "vitest"
import { tell, untold } from "../../src/session/fold.logic.ts"
import { lineAt, placeOfLine } from "../../src/session/permalink.logic.ts"
import { primaryOf, rowsOf } from "../../src/session/rows.logic.ts"
import type { Gap } from "../../src/session/useHistory.ts"
import { goldenLog } from "./goldenLog.ts"

const log = goldenLog()
const rows = rowsOf(primaryOf(tell(untold, log).told.timeline)!, new Map())

describe("a link to a line", () => {
  it("leads to that line, whichever it is", () => {
    const places = rows.map(placeOfLine)
    assert.isAbove(places.filter((place) => place !== null).length, 5)
    for (const [index, place] of places.entries()) {
      if (place !== null) assert.strictEqual(lineAt(rows, place), index, rows[index]!.key)
    }
  })

  it("leads from any event to the line that shows it, and from before the first line to that", () => {
    const index = rows.findIndex((row) => row.kind === "calls")
    const group = rows[index]!
    assert.strictEqual(lineAt(rows, group.seq + 1), index)
    assert.strictEqual(lineAt(rows, 1), 0)
    assert.strictEqual(lineAt([], 7), -1)
  })

  it("leads into the past that is not here", () => {
    const gap: Gap = { kind: "gap", key: "gap-1", seq: 40, chapter: { from: 1, to: 40, rows: 3, turn: null } }
    const later = rows.map((row) => ({ ...row, seq: row.seq + 40 }))
    assert.strictEqual(lineAt([gap, ...later], 7), 0)
    assert.isAbove(lineAt([gap, ...later], 41 + rows[0]!.seq), 0)
  })

  it("is not offered where nothing is recorded", () => {
    const queued = { kind: "queued", key: "queued-1", seq: 9 } as (typeof rows)[number]
    assert.isNull(placeOfLine(queued))
    assert.isNull(placeOfLine({ kind: "writing", key: "w", seq: 9, text: "" }))
  })
})
