import { assert, describe, it } from "@effect/vitest"
import { clean } from "../../src/terminal/clean.ts"

describe("Text of somebody else's", () => {
  it.each([
    ["\u001B[31mred\u001B[0m", "red"],
    ["\u001B]0;another title\u0007after", "after"],
    ["\u001B]8;;https://example.com\u001B\\link\u001B]8;;\u001B\\", "link"],
    ["over\rwritten\b", "overwritten"],
    ["\u009B2Jgone", "2Jgone"],
    ["\u202Egnp.exe", "gnp.exe"],
    ["kept:\ttabs\nand lines", "kept:\ttabs\nand lines"]
  ])("has nothing in it by which a terminal does things: %j", (text, expected) => {
    assert.strictEqual(clean(text), expected)
  })
})
