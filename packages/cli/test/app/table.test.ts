import { assert, describe, it } from "@effect/vitest"
import { table } from "../../src/app/table.ts"

describe("A table", () => {
  const rows = [
    ["one", 1, "a title"],
    ["a longer one", null, "two\nlines"]
  ]

  it("has columns as wide as what is in them", () => {
    assert.strictEqual(
      table(["NAME", "COUNT", "TITLE"], rows, undefined),
      ["NAME          COUNT  TITLE", "one           1      a title", "a longer one  –      two lines"].join("\n")
    )
  })

  it("is no wider than the terminal", () => {
    const lines = table(["NAME", "COUNT", "TITLE"], rows, 24).split("\n")
    assert.strictEqual(lines[1], "one           1      a …")
  })
})
