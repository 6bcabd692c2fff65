import { assert, describe, it } from "vitest"
import { chosenOf, merged, neighbour, type Waiting } from "../../src/inbox/inbox.logic.ts"
import { allowance, allowedWith, denial, readArguments, textOf } from "../../src/session/approval.logic.ts"

const waits = (type: Waiting["type"], id: string, minute: number) =>
  ({ type, id, asked_at: `2026-11-21T10:0${minute}:00.000Z` }) as Waiting
const list = merged(
  [waits("approval", "b", 2), waits("approval", "a", 4)] as never,
  [waits("question", "c", 3)] as never
)

describe("the inbox", () => {
  it("has what waits longest first, whatever it is", () => {
    assert.deepStrictEqual(
      list.map(({ id }) => id),
      ["b", "c", "a"]
    )
  })

  it("gives the keys to what was gone to, and to the first once that is answered", () => {
    assert.strictEqual(chosenOf(list, "c"), "c")
    assert.strictEqual(chosenOf(list, "answered"), "b")
    assert.strictEqual(chosenOf([], "c"), null)
  })

  it("goes no further than its ends", () => {
    assert.strictEqual(neighbour(list, "b", 1), "c")
    assert.strictEqual(neighbour(list, "a", 1), "a")
    assert.strictEqual(neighbour(list, "b", -1), "b")
    assert.strictEqual(neighbour([], null, 1), null)
  })
})

describe("an answer to an approval", () => {
  it("allows only what was seen, where that is known", () => {
    assert.deepStrictEqual(allowance("session", "d1g"), {
      result: "allow",
      scope: "session",
      input_digest: "d1g" as never
    })
    assert.deepStrictEqual(allowedWith({ command: "ls" }), { result: "allow", input: { command: "ls" } })
  })

  it("denies with words, or without", () => {
    assert.deepStrictEqual(denial("  not on a Friday "), { result: "deny", message: "not on a Friday" })
    assert.deepStrictEqual(denial("  "), { result: "deny", message: null })
  })

  it("takes edited arguments that are a JSON object, and says of others why not", () => {
    const input = { command: "ls", timeout: 3 }
    assert.deepStrictEqual(readArguments(textOf(input)), { _tag: "Read", input })
    assert.strictEqual(readArguments("[1]")._tag, "Wrong")
    assert.strictEqual(readArguments("{")._tag, "Wrong")
    assert.strictEqual(readArguments("null")._tag, "Wrong")
  })
})
