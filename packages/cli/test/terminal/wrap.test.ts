import { assert, describe, it } from "@effect/vitest"
import { bold } from "../../src/terminal/styles.ts"
import { widthOf } from "../../src/terminal/width.ts"
import { wrap } from "../../src/terminal/wrap.ts"

describe("A line that is too long", () => {
  it.each([
    ["one two three", 8, ["one two ", "three"]],
    ["0123456789", 4, ["0123", "4567", "89"]],
    ["漢字漢字", 5, ["漢字", "漢字"]],
    [`see ${bold("this")}, and`, 9, [`see ${bold("this")},`, "and"]],
    ["", 5, [""]]
  ])("is broken between words, else within one: %j", (line, columns, expected) => {
    assert.deepStrictEqual([...wrap(line, columns)], expected)
  })

  it("never goes beyond the edge", () => {
    const text = `a ${bold("word that is 漢字漢字漢字 long")} and https://example.com/some/very/long/address?with=words`
    for (let columns = 2; columns < 30; columns++) {
      for (const line of wrap(text, columns)) assert.isAtMost(widthOf(line.trimEnd()), columns)
    }
  })
})
