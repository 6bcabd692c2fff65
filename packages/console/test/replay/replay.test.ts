import { stateAt, toJson } from "@troupe/domain/replay/Fold"
import * as Codec from "@troupe/domain/session/Codec"
import { Result } from "effect"
import { assert, describe, it } from "vitest"
import type { LogEvent } from "@troupe/client"
import { initial as nothingShown } from "@troupe/domain/session/Timeline"
import { foldOn, FoldedAt, jump, marksOf, momentAt, newPast, placesOf } from "../../src/replay/replay.logic.ts"
import { placeOn } from "../../src/session/place.logic.ts"
import { goldenLog } from "../session/goldenLog.ts"
import { longLog } from "../session/longLog.ts"

const log = goldenLog()
const events = log.map(({ payload, ...event }) =>
  Result.getOrThrow(Codec.decodeStrict({ ...event, streamId: "", payload: JSON.stringify(payload) }))
)

describe("a session at any moment", () => {
  it("is what the log folds to, in whichever order one looks", () => {
    const { states, timelines } = newPast()
    for (const seq of [log.length, 3, 201, 200, 199, 0, 120, log.length + 5]) {
      assert.deepStrictEqual(toJson(states.at(log, seq)), toJson(stateAt(events, seq)), `at ${seq}`)
      assert.deepStrictEqual(timelines.at(log, seq), log.slice(0, seq).reduce(placeOn, nothingShown), `at ${seq}`)
    }
  })

  it("is known part by part, and goes on as the log grows", () => {
    const all = longLog()
    const grown: Array<LogEvent> = Array.from({ length: 1_050 }, () => all.next().value as LogEvent)
    const past = newPast()
    const known: Array<number> = []
    for (let at = 0; at < grown.length; at = known.at(-1)!) known.push(foldOn(past, grown))
    assert.deepStrictEqual(known, [400, 600, 800, 1_000, 1_050])
    grown.push(...Array.from({ length: 200 }, () => all.next().value as LogEvent))
    assert.strictEqual(foldOn(past, grown), 1_250)
    for (const seq of [1_250, 1_049, 401]) {
      const expected = grown.slice(0, seq).reduce(placeOn, nothingShown)
      assert.deepStrictEqual(past.timelines.at(grown, seq), expected, `at ${seq}`)
    }
  })

  it("costs no more than a part, wherever one goes", () => {
    let steps = 0
    const folded = new FoldedAt(0, (sum) => (steps++, sum + 1))
    assert.strictEqual(folded.at(log, log.length), log.length)
    steps = 0
    for (const seq of [log.length, 1, 250, 199, 0]) {
      assert.strictEqual(folded.at(log, seq), Math.min(seq, log.length))
      assert.isBelow(steps, 200)
      steps = 0
    }
  })

  it("says what its event changed", () => {
    const seq = log.findIndex(({ type }) => type === "TurnStarted") + 1
    const { changed, changes } = momentAt(newPast(), log, seq)
    assert.isTrue(changes.some(({ path }) => path.startsWith("/threads/0/turn")))
    assert.isAbove(changed.size, 0)
    assert.lengthOf(momentAt(newPast(), log, 0).changes, 0)
  })

  it("is left for the next or the last one of its kind", () => {
    const places = placesOf(log)
    const first = jump(places, 0, 1, "turn")!
    assert.strictEqual(log[first - 1]!.type, "TurnStarted")
    const second = jump(places, first, 1, "turn")!
    assert.strictEqual(jump(places, second, -1, "turn"), first)
    assert.isNull(jump(places, log.length, 1, "error"))
  })

  it("has as many marks as can be told apart", () => {
    const many = Array.from({ length: 50_000 }, (_, index) => index + 1)
    const marks = marksOf({ turn: many, approval: [1, 2, 50_000], error: [] }, 50_000)
    assert.lengthOf(marks, 1_002)
    for (const { part } of marks) assert.isTrue(part > 0 && part < 1)
  })
})
