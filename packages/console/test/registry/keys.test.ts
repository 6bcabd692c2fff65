import { assert, describe, it } from "vitest"
import { drawn, nameOf, sequenceWithinMs, take } from "../../src/registry/keys.logic.ts"

const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "altKey" | "shiftKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held
})
const here = { at: 0, isTyping: false }

describe("keys", () => {
  it("are named as people write them", () => {
    assert.strictEqual(nameOf(press("k", { metaKey: true })), "mod+k")
    assert.strictEqual(nameOf(press("K", { ctrlKey: true, shiftKey: true })), "mod+shift+k")
    assert.strictEqual(nameOf(press("?", { shiftKey: true })), "?")
    assert.strictEqual(nameOf(press("ArrowLeft")), "left")
    assert.strictEqual(nameOf(press("Escape")), "escape")
  })

  it("run the action that was registered last", () => {
    const far = { keys: "escape", id: "far" }
    const near = { keys: "escape", id: "near" }
    assert.strictEqual(take([far, near], null, press("Escape"), here).action, near)
  })

  it("leave those alone who write, but for actions that are meant for them", () => {
    const quiet = { keys: "c" }
    const loud = { keys: "mod+k", whileTyping: true }
    const typing = { at: 0, isTyping: true }
    assert.isNull(take([quiet, loud], null, press("c"), typing).action)
    assert.strictEqual(take([quiet, loud], null, press("k", { ctrlKey: true }), typing).action, loud)
  })

  it("may follow one another, for a while", () => {
    const go = { keys: "g s" }
    const alone = { keys: "s" }
    const begun = take([go], null, press("g"), here)
    assert.isNull(begun.action)
    const soon = take([go, alone], begun.sequence, press("s"), { at: sequenceWithinMs - 1, isTyping: false })
    assert.strictEqual(soon.action, go)
    const late = take([go, alone], begun.sequence, press("s"), { at: sequenceWithinMs, isTyping: false })
    assert.strictEqual(late.action, alone)
  })

  it("are drawn as they stand on the keyboard", () => {
    assert.deepStrictEqual(drawn("mod+k", true), [["⌘", "K"]])
    assert.deepStrictEqual(drawn("mod+k", false), [["Ctrl", "K"]])
    assert.deepStrictEqual(drawn("g s", false), [["G"], ["S"]])
  })
})
