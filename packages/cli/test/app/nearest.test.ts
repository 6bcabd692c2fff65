import { assert, describe, it } from "vitest"
import { nearest } from "../../src/app/nearest.ts"

const names = ["TurnStarted", "TurnCompleted", "TurnFailed", "ToolStarted", "ToolFinished", "SessionOpened"]

describe("the nearest names", () => {
  it("are found by what was mistyped, in any case, and by a part", () => {
    assert.deepStrictEqual(nearest("turn_completed", names), ["TurnCompleted"])
    assert.strictEqual(nearest("TurnComplete", names)[0], "TurnCompleted")
    assert.strictEqual(nearest("ToolStartd", names)[0], "ToolStarted")
    assert.deepStrictEqual(nearest("opened", names), ["SessionOpened"])
  })

  it("are none where nothing is like it", () => {
    assert.deepStrictEqual(nearest("xyzxyzxyzxyz", names), [])
    assert.deepStrictEqual(nearest("q", names), [])
  })
})
