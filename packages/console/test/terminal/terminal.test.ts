import { assert, describe, it } from "vitest"
import {
  endingText,
  idsOf,
  nextTo,
  type Pane,
  piecesOf,
  placeOf,
  textOfIds
} from "../../src/terminal/terminal.logic.ts"

const ending = (type: string, exit_code: number | null = null, message: string | null = null) =>
  endingText({ type, exit_code, message })

describe("a terminal", () => {
  it("is opened at a size, and come back to from the byte that was not seen", () => {
    const size = { columns: 80, rows: 24 }
    assert.deepStrictEqual(placeOf(null, 7, size), size)
    assert.deepStrictEqual(placeOf("term_a", 0, size), { terminal_id: "term_a", after: 0, ...size })
  })

  it("says how it ended", () => {
    assert.strictEqual(ending("exited", 0), "The shell ended.")
    assert.strictEqual(ending("exited", 130), "The shell ended with code 130.")
    assert.strictEqual(ending("signalled", null, "SIGHUP"), "The shell was ended by SIGHUP.")
    assert.strictEqual(ending("out_of_memory"), "The sandbox had no more memory for it.")
    assert.strictEqual(ending("killed", null, "the session was deleted"), "It was ended: the session was deleted.")
  })

  it("is sent what was pasted in pieces that a server takes, with nothing lost", () => {
    const pasted = Uint8Array.from({ length: 40_000 }, (_, at) => at % 251)
    const pieces = [...piecesOf(pasted)]
    assert.isTrue(pieces.every(({ length }) => length > 0 && length <= 16_384))
    assert.deepStrictEqual(Buffer.concat(pieces), Buffer.from(pasted))
  })
})

describe("terminals of a page", () => {
  const panes: ReadonlyArray<Pane> = ["a", "b", "c"].map((key) => ({ key, id: key }))

  it("are found again by its address, whatever else somebody wrote there", () => {
    assert.deepStrictEqual(idsOf(textOfIds(["term_1", "term_2"])), ["term_1", "term_2"])
    assert.isUndefined(textOfIds([]))
    assert.deepStrictEqual(idsOf("term_1..a/b.%00"), ["term_1"])
    assert.deepStrictEqual(idsOf(undefined), [])
  })

  it("give their place to the next one when they are closed", () => {
    assert.strictEqual(nextTo(panes, "b"), "c")
    assert.strictEqual(nextTo(panes, "c"), "b")
    assert.isNull(nextTo(panes.slice(0, 1), "a"))
  })
})
