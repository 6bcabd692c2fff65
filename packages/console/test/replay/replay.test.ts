import { stateAt, toJson } from "@troupe/domain/replay/Fold"
import * as Codec from "@troupe/domain/session/Codec"
import { Result } from "effect"
import { assert, describe, it } from "vitest"
import { jump, momentAt, StateAt } from "../../src/replay/replay.logic.ts"
import { goldenLog } from "../session/goldenLog.ts"

const log = goldenLog()
const events = log.map(({ payload, ...event }) =>
  Result.getOrThrow(Codec.decodeStrict({ ...event, streamId: "", payload: JSON.stringify(payload) }))
)

describe("a session at any moment", () => {
  it("is what the log folds to, in whichever order one looks", () => {
    const states = new StateAt(log)
    for (const seq of [log.length, 3, 201, 200, 199, 0, 120, log.length + 5]) {
      assert.deepStrictEqual(toJson(states.at(seq)), toJson(stateAt(events, seq)), `at ${seq}`)
    }
  })

  it("says what its event changed", () => {
    const seq = log.findIndex(({ type }) => type === "TurnStarted") + 1
    const { changed, changes } = momentAt(new StateAt(log), seq)
    assert.isTrue(changes.some(({ path }) => path.startsWith("/threads/0/turn")))
    assert.isAbove(changed.size, 0)
    assert.lengthOf(momentAt(new StateAt(log), 0).changes, 0)
  })

  it("is left for the next or the last one of its kind", () => {
    const first = jump(log, 0, 1, "turn")!
    assert.strictEqual(log[first - 1]!.type, "TurnStarted")
    const second = jump(log, first, 1, "turn")!
    assert.strictEqual(jump(log, second, -1, "turn"), first)
    assert.isNull(jump(log, log.length, 1, "error"))
  })
})
