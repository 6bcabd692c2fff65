import { assert, describe, it } from "@effect/vitest"
import { charactersOf, cut, widthOf } from "../../src/terminal/width.ts"

describe("The width of text", () => {
  it.each([
    ["plain", 5],
    ["naïve", 5],
    ["nai\u0308ve", 5],
    ["漢字", 4],
    ["👩‍👩‍👧‍👦", 2],
    ["❤\uFE0F", 2],
    ["🇩🇪", 2],
    ["\u001B[1mbold\u001B[0m", 4]
  ])("is what a terminal takes for %s", (text, width) => {
    assert.strictEqual(widthOf(text), width)
  })

  it("is cut where people see a character end", () => {
    assert.strictEqual(cut("漢字漢字", 5), "漢字…")
    assert.strictEqual(cut("short", 5), "short")
    assert.strictEqual(cut("longer", 5), "long…")
    assert.deepStrictEqual(charactersOf("a👩‍👩‍👧‍👦b"), ["a", "👩‍👩‍👧‍👦", "b"])
  })
})
