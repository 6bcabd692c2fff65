import { assert, describe, it } from "@effect/vitest"
import { stripVTControlCharacters } from "node:util"
import { Markdown } from "../../src/chat/Markdown.ts"

const shown = (text: string) => {
  const markdown = new Markdown()
  return text.split("\n").map((line) => markdown.line(line))
}
const bare = (text: string) => shown(text).map(stripVTControlCharacters)

describe("Markdown in a terminal", () => {
  it("is styled, a line at a time", () => {
    assert.deepStrictEqual(shown("**bold** and `**code**`"), [
      "\u001B[1mbold\u001B[22m and \u001B[36m**code**\u001B[39m"
    ])
    assert.deepStrictEqual(bare("# Title\n- item\n1. one\n- [x] done\n> said\n---\n[a](https://b.c)"), [
      "Title",
      "• item",
      "1. one",
      "☑ done",
      "▏ said",
      "────────",
      "a (https://b.c)"
    ])
  })

  it("leaves code as it is, to the fence that ends it", () => {
    assert.deepStrictEqual(bare("```ts\n# no title **a**\n~~~\n```\n# Title"), [
      "┌─ ts",
      "│ # no title **a**",
      "│ ~~~",
      "└─",
      "Title"
    ])
  })

  it("takes no words for marks", () => {
    for (const text of ["2 * 3 * 4", "snake_case_name", "a ** b", "/home/*/x"])
      assert.deepStrictEqual(shown(text), [text])
  })

  it("shows a line that is still being written without being changed by it", () => {
    const markdown = new Markdown()
    markdown.preview("```")
    assert.strictEqual(stripVTControlCharacters(markdown.line("# Title")), "Title")
  })
})
