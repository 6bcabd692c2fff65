import type { EventId } from "@troupe/domain/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Deltas from "../../src/session/Deltas.ts"

const delta = (offset: number, afterFrame: number) =>
  ({ _tag: "Delta", blockId: "b" as EventId, offset, text: "x", afterFrame }) as const

const make = () => {
  const shown: Array<number> = []
  return { shown, ...Deltas.make(({ offset }) => void shown.push(offset)) }
}

describe("Deltas", () => {
  it("are shown once the frame before them is committed", () => {
    const { release, shown, take } = make()
    take(delta(0, 1), 1)
    take(delta(1, 2), 1)
    assert.deepStrictEqual(shown, [0])
    release(2)
    release(2)
    assert.deepStrictEqual(shown, [0, 1])
  })

  it("are not shown when a later frame is committed with it: their block may be finished", () => {
    const { release, shown, take } = make()
    take(delta(0, 1), 0)
    take(delta(1, 3), 0)
    release(2)
    take(delta(2, 1), 2)
    assert.deepStrictEqual(shown, [])
    release(3)
    assert.deepStrictEqual(shown, [1])
  })

  it("are lost rather than held without bound", () => {
    const { release, shown, take } = make()
    for (let offset = 0; offset < 70_000; offset++) take(delta(offset, 1), 0)
    release(1)
    assert.strictEqual(shown.length, 65_536)
  })
})
