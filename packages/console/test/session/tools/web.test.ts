import { assert, describe, it } from "vitest"
import { linkable, pageIn, resultsIn } from "../../../src/session/tools/web.logic.ts"

describe("a page that was fetched", () => {
  it("has an address, a title and text", () => {
    assert.deepStrictEqual(pageIn("https://example.com/\nTitle: An example\n\n# Hello\n\nThere"), {
      url: "https://example.com/",
      title: "An example",
      status: null,
      notes: [],
      text: "# Hello\n\nThere"
    })
  })

  it("says what became of it", () => {
    const answer =
      "https://example.com/x\nStatus: 404\nTitle: Gone\n[Read by a smaller model. It is in /x.]\n\nNo.\n\n[Shown are 3 of 9 characters. It is in /x.]"
    assert.deepStrictEqual(pageIn(answer), {
      url: "https://example.com/x",
      title: "Gone",
      status: 404,
      notes: ["Read by a smaller model. It is in /x.", "Shown are 3 of 9 characters. It is in /x."],
      text: "No."
    })
    const binary = pageIn("https://example.com/x\n\n[A binary file. It is kept in /x.]")
    assert.deepStrictEqual([binary.notes, binary.text], [["A binary file. It is kept in /x."], ""])
    assert.deepStrictEqual(pageIn("https://example.com/a.png").text, "")
  })
})

describe("what was found on the web", () => {
  it("is titles, addresses and some lines", () => {
    const answer =
      "1. One (part 2) (2026-01-02)\n   https://example.com/1\n   Some words\n\n2. Two\n   https://example.com/2\n   "
    assert.deepStrictEqual(resultsIn(answer), [
      { title: "One (part 2)", published: "2026-01-02", url: "https://example.com/1", snippet: "Some words" },
      { title: "Two", published: null, url: "https://example.com/2", snippet: "" }
    ])
    assert.deepStrictEqual(resultsIn("Nothing was found."), [])
    assert.isNull(resultsIn("anything else"))
  })

  it("leads to pages only", () => {
    assert.strictEqual(linkable("https://example.com"), "https://example.com/")
    for (const address of ["javascript:alert(1)", "file:///etc/passwd", "words"]) assert.isNull(linkable(address))
  })
})
