import { assert, describe, it } from "@effect/vitest"
import { edit, type Editor, empty, type Key, taken, textOf } from "../../src/terminal/Editor.ts"

const named = (...names: ReadonlyArray<string>): ReadonlyArray<Key> =>
  names.map((name) => {
    const [, modifier, key] = /^(?:(ctrl|meta)-)?(.+)$/.exec(name)!
    return { name: key, ctrl: modifier === "ctrl", meta: modifier === "meta" }
  })
const type = (editor: Editor, text: string): Editor =>
  [...text].reduce((before, letter) => edit(before, letter, { name: letter }), editor)
const press = (editor: Editor, ...names: ReadonlyArray<string>): Editor =>
  named(...names).reduce((before, key) => edit(before, undefined, key), editor)
const shown = ({ after, before }: Editor) => `${before}|${after}`

describe("The line that is typed", () => {
  const line = type(empty, "one two")

  it.each([
    [["left", "left"], "one t|wo"],
    [["ctrl-a", "right"], "o|ne two"],
    [["ctrl-w"], "one |"],
    [["ctrl-left", "ctrl-k"], "one |"],
    [["ctrl-u"], "|"],
    [["home", "delete"], "|ne two"],
    [["backspace"], "one tw|"],
    [["home", "backspace"], "|one two"],
    [["meta-return"], "one two\n|"]
  ])("is changed by %j", (keys, expected) => {
    assert.strictEqual(shown(press(line, ...keys)), expected)
  })

  it("takes away what people see as one character", () => {
    assert.strictEqual(shown(press(edit(type(empty, "a"), "👩‍👩‍👧‍👦", {}), "backspace")), "a|")
  })

  it("goes up and down through its lines, then through what was typed before", () => {
    const second = type(taken(type(empty, "first")), "short\nlonger line".replace("\n", ""))
    assert.strictEqual(shown(press(second, "up")), "first|")
    assert.strictEqual(shown(press(second, "up", "down")), "|")
    const lines = type(press(type(empty, "abc"), "ctrl-j"), "d")
    assert.strictEqual(shown(press(lines, "up")), "a|bc\nd")
    assert.strictEqual(shown(press(lines, "up", "down")), "abc\nd|")
  })

  it("keeps the lines of what is pasted, and no control characters", () => {
    const pasted = [..."a\tb"].reduce(
      (before, letter) => edit(before, letter, { name: letter === "\t" ? "tab" : letter }),
      press(empty, "paste-start")
    )
    assert.strictEqual(textOf(press(pasted, "return", "paste-end")), "a  b\n")
    assert.strictEqual(textOf(edit(empty, "\u0007", { name: "g" })), "")
  })
})
