import type { Approval, Question } from "@troupe/client"
import { assert, describe, it } from "@effect/vitest"
import { initial, type Model } from "../../src/chat/Model.ts"
import { press, type Pressed } from "../../src/chat/press.ts"

const approval = { _tag: "Approval", approval: { id: "sevt_1", tool: "bash" } as unknown as Approval } as const
const question = {
  _tag: "Question",
  question: {
    id: "sevt_2",
    question: { kind: "choice", text: "Which?", options: [{ label: "red" }, { label: "blue" }], allowOther: true }
  } as unknown as Question
} as const

const keyed = (model: Model, keys: ReadonlyArray<string>): ReadonlyArray<Pressed> => {
  const all: Array<Pressed> = []
  let now = model
  for (const key of keys) {
    const [, ctrl, name] = /^(ctrl-)?(.+)$/s.exec(key)!
    const isText = ctrl === undefined && name!.length === 1
    const pressed = press(now, isText ? name : undefined, { name, ctrl: ctrl !== undefined })
    all.push(pressed)
    now = pressed.model
  }
  return all
}
const intentsOf = (model: Partial<Model>, ...keys: ReadonlyArray<string>) =>
  keyed({ ...initial, ...model }, keys).flatMap(({ intent }) => (intent === null ? [] : [intent]))

describe("A key in a chat", () => {
  it("says what was typed at Enter, and keeps it to be said again", () => {
    const pressed = keyed(initial, ["h", "i", "return"])
    assert.deepStrictEqual(pressed.at(-1)!.intent, { _tag: "Send", text: "hi" })
    assert.deepStrictEqual(pressed.at(-1)!.model.editor.history, ["hi"])
    assert.deepStrictEqual(intentsOf({}, "return"), [])
    assert.deepStrictEqual(intentsOf({}, "/", "h", "return"), [{ _tag: "Command", text: "/h" }])
  })

  it("takes back what waits at Up, and where nothing does shows what was said", () => {
    const queued = [{ id: "sevt_3", text: "later" }]
    assert.deepStrictEqual(intentsOf({ queued }, "up"), [{ _tag: "TakeBack" }])
    assert.deepStrictEqual(intentsOf({ queued }, "x", "up"), [])
    assert.strictEqual(keyed(initial, ["h", "return", "up"]).at(-1)!.model.editor.before, "h")
  })

  it("wants what was shown in short at Ctrl-O, whatever is typed", () => {
    assert.deepStrictEqual(intentsOf({}, "ctrl-o", "x", "ctrl-o"), [{ _tag: "Unfold" }, { _tag: "Unfold" }])
  })

  it("writes the name of a command to its end at Tab, where it can be no other", () => {
    const typed = (...keys: ReadonlyArray<string>) => keyed(initial, keys).at(-1)!.model.editor.before
    assert.strictEqual(typed("/", "s", "tab"), "/steer ")
    assert.strictEqual(typed("/", "q", "tab"), "/quit")
    assert.strictEqual(typed("/", "tab"), "/")
    assert.strictEqual(typed("/", "z", "tab"), "/z")
    assert.strictEqual(typed("s", "tab"), "s")
  })

  it("wants the path behind an @ written to its end at Tab", () => {
    assert.deepStrictEqual(intentsOf({}, "s", " ", "@", "d", "tab"), [{ _tag: "Complete", path: "d" }])
    assert.deepStrictEqual(intentsOf({}, "s", "@", "d", "tab"), [])
  })

  it("decides on a call: once, for the session, or not", () => {
    const asks = [approval]
    assert.deepStrictEqual(intentsOf({ asks }, "y"), [{ _tag: "Allow", scope: "once" }])
    assert.deepStrictEqual(intentsOf({ asks }, "a"), [{ _tag: "Allow", scope: "session" }])
    assert.deepStrictEqual(intentsOf({ asks }, "n", "return"), [{ _tag: "Deny", message: null }])
    assert.deepStrictEqual(intentsOf({ asks }, "n", "n", "o", "return"), [{ _tag: "Deny", message: "no" }])
    assert.deepStrictEqual(intentsOf({ asks }, "n", "escape", "y"), [{ _tag: "Allow", scope: "once" }])
  })

  it("allows nothing by a letter of what is being typed", () => {
    const typing = keyed({ ...initial, asks: [] }, ["w", "h"]).at(-1)!.model
    assert.deepStrictEqual(intentsOf({ ...typing, asks: [approval] }, "y"), [])
  })

  it("answers a question by a number, or in words", () => {
    const asks = [question]
    assert.deepStrictEqual(intentsOf({ asks }, "2"), [{ _tag: "Answer", text: "2" }])
    assert.deepStrictEqual(intentsOf({ asks }, "3", "return"), [{ _tag: "Answer", text: "3" }])
    assert.deepStrictEqual(intentsOf({ asks }, "r", "return"), [{ _tag: "Answer", text: "r" }])
  })

  it("interrupts what goes on, and leaves where nothing does", () => {
    assert.deepStrictEqual(intentsOf({ workingSince: 0 }, "escape"), [{ _tag: "Interrupt" }])
    assert.deepStrictEqual(intentsOf({}, "escape"), [])
    assert.deepStrictEqual(intentsOf({ workingSince: 0 }, "ctrl-c", "ctrl-c"), [
      { _tag: "Interrupt" },
      { _tag: "Quit" }
    ])
    assert.deepStrictEqual(intentsOf({}, "x", "ctrl-c", "ctrl-c"), [])
    assert.deepStrictEqual(intentsOf({}, "x", "ctrl-c", "ctrl-c", "ctrl-c"), [{ _tag: "Quit" }])
    assert.deepStrictEqual(intentsOf({}, "ctrl-c", "x", "backspace", "ctrl-c"), [])
    assert.deepStrictEqual(intentsOf({ workingSince: 0 }, "ctrl-z"), [{ _tag: "Suspend" }])
    assert.deepStrictEqual(intentsOf({}, "x", "ctrl-d"), [])
    assert.deepStrictEqual(intentsOf({}, "ctrl-d"), [{ _tag: "Quit" }])
  })
})
