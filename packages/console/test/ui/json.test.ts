import { assert, describe, it } from "vitest"
import { below, copyOf, folded, isBig, soughtIn } from "../../src/ui/json.logic.ts"

describe("long texts in data", () => {
  it("are folded to their beginning, or to what is around the words that are looked for", () => {
    assert.deepStrictEqual(folded("short"), { shown: "short", left: null })
    const text = `${"ä".repeat(2_000)}Needle${"b".repeat(2_000)}`
    const { left, shown } = folded(text)
    assert.strictEqual(left, "6.0 kB")
    assert.match(shown, /^ä{300}…$/)
    assert.match(folded(text, "needle").shown, /^…ä{60}Needleb+…$/)
    assert.match(folded(text, "absent").shown, /^ä+…$/)
  })
})

describe("what one copies of data", () => {
  it("is texts as they are, and the rest as JSON, with where it is", () => {
    assert.strictEqual(copyOf("a\nb"), "a\nb")
    assert.strictEqual(copyOf({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}')
    assert.strictEqual(below(below("", "a/b"), "~0"), "/a~1b/~00")
  })
})

describe("a search in data", () => {
  const value = {
    name: "Ann",
    tasks: [{ title: "find the needle" }, { title: "rest" }],
    needles: { a: { b: 1 } },
    n: 7
  }

  it("is there where there is much", () => {
    assert.isFalse(isBig(value))
    assert.isTrue(isBig(Array.from({ length: 41 }, () => null)))
    assert.isTrue(isBig({ a: { b: ["x".repeat(4_000)] } }))
    let deep: unknown = 1
    for (let index = 0; index < 60; index++) deep = [deep]
    assert.isTrue(isBig(deep as never))
  })

  it("finds names and values, and what leads to them", () => {
    const { hits, open, words } = soughtIn(value, " Needle ")!
    assert.strictEqual(words, "needle")
    assert.deepStrictEqual([...hits], ["/tasks/0/title", "/needles"])
    assert.deepStrictEqual([...open].toSorted(), ["/tasks", "/tasks/0"])
    assert.deepStrictEqual([...soughtIn(value, "7")!.hits], ["/n"])
    assert.isNull(soughtIn(value, "  "))
  })
})
