import { assert, describe, it } from "vitest"
import { find, score } from "../../src/app/palette.logic.ts"
import { readSearch, writeSearch } from "../../src/app/search.logic.ts"

describe("the palette", () => {
  it("finds what has all the words, wherever they stand", () => {
    assert.strictEqual(score("theme dark", { title: "Theme: light" }), 0)
    assert.isAbove(score("dark theme", { title: "Theme: dark" }), 0)
    assert.isAbove(score("appearance", { title: "Theme: dark", words: "appearance" }), 0)
  })

  it("puts beginnings of titles before beginnings of words, and those before the rest", () => {
    const all = [{ title: "Preferences of agents" }, { title: "New agent" }, { title: "Agents" }, { title: "Reagent" }]
    assert.deepStrictEqual(
      find("agent", all).map(({ title }) => title),
      ["Agents", "Preferences of agents", "New agent", "Reagent"]
    )
  })

  it("shows everything in its order before anything is typed", () => {
    const all = [{ title: "b" }, { title: "a" }]
    assert.deepStrictEqual(find(" ", all), all)
  })
})

describe("an address", () => {
  it("says its filters in plain text, and none that is empty", () => {
    assert.strictEqual(writeSearch({ view: "running", q: "", agent: undefined }), "?view=running")
    assert.deepStrictEqual(readSearch("?view=running&at=7"), { view: "running", at: "7" })
  })
})
