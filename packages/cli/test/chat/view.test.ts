import type { Approval } from "@troupe/client"
import { assert, describe, it } from "@effect/vitest"
import { stripVTControlCharacters } from "node:util"
import { initial, type Model } from "../../src/chat/Model.ts"
import { view } from "../../src/chat/view.ts"
import { empty } from "../../src/terminal/Editor.ts"
import { widthOf } from "../../src/terminal/width.ts"

const approval = {
  tool: "bash",
  server: null,
  input: { command: "rm -rf \u001B[2J/" },
  reason: "It writes"
} as unknown as Approval
const busy: Model = {
  ...initial,
  workingSince: 1_000,
  partial: "words that are still being written, and go on for longer than a line has room for",
  calls: [{ id: "1", line: "bash ls" }],
  queued: [{ id: "2", text: "and then\nthis" }],
  standing: "Assistant · demo"
}
const shown = (model: Model, columns = 80, rows = 24) =>
  view(model, columns, rows, 4_500).lines.map(stripVTControlCharacters)

describe("What is below a chat", () => {
  it("says what goes on, what waits, and who works", () => {
    assert.deepStrictEqual(shown(busy).slice(-5), [
      "○ bash ls",
      "Working, 3 s · esc interrupts",
      "  queued: and then this",
      "› ",
      "Assistant · demo"
    ])
  })

  it("shows which commands there are while one is typed", () => {
    const typing = (before: string) => shown({ ...initial, editor: { ...empty, before } })
    assert.lengthOf(typing("/"), 8)
    assert.match(typing("/st")[0]!, /^ {2}\/steer TEXT +has TEXT join the turn/)
    assert.lengthOf(typing("/steer x"), 2)
  })

  it("asks for what has to be allowed, with nothing in it that a terminal would act on", () => {
    assert.deepStrictEqual(
      shown({ ...busy, partial: "", calls: [], queued: [], asks: [{ _tag: "Approval", approval }] }),
      [
        "? bash wants to run: rm -rf /",
        "  It writes",
        "  y once · a for this session · n deny",
        "› ",
        "Assistant · demo"
      ]
    )
  })

  it("fits any terminal, with the cursor where it is typed", () => {
    const editor = {
      ...empty,
      before: "typed words\nof several lines that are long enough to be broken",
      after: " and more"
    }
    for (const columns of [20, 33, 80]) {
      for (const rows of [5, 9, 24]) {
        const { cursor, lines } = view({ ...busy, editor }, columns, rows, 0)
        assert.isBelow(lines.length, rows)
        for (const line of lines) assert.isBelow(widthOf(line), columns)
        assert.isBelow(cursor.row, lines.length)
        assert.isBelow(cursor.column, columns)
      }
    }
  })
})
