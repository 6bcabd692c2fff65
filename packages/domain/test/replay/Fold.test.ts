import { assert, describe, it } from "@effect/vitest"
import { JsonPatch, Result, Schema } from "effect"
import { decodeAll, stateAt, stateDiff, toJson } from "../../src/replay/Fold.ts"
import { replay } from "../../src/replay/Replay.ts"
import { evolve, fold } from "../../src/session/evolve.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial, SessionState } from "../../src/session/SessionState.ts"
import { Recording, sha256 } from "../support/recording.ts"
import { richRefusals, richStory } from "../support/stories.ts"

const recording = new Recording().tell(...richStory).refuse(...richRefusals)
const { events, rows } = recording

describe("Fold", () => {
  it("tells the whole story", () => {
    assert.strictEqual(recording.rejections.length, 5)
    const told = new Set(events.map((event) => event._tag))
    const untold = Object.keys(SessionEvent.cases).filter((tag) => !told.has(tag as SessionEvent["_tag"]))
    assert.isBelow(untold.length, 45, untold.join(" "))
  })

  it("rebuilds the state that the decisions led to", () => {
    assert.deepStrictEqual(stateAt(events, events.length), recording.state)
    assert.deepStrictEqual(stateAt(events, 0), initial)
    assert.deepStrictEqual(stateAt(events, events.length + 5), recording.state)
  })

  it("rebuilds it from what is stored", () => {
    const read = Result.getOrThrow(decodeAll(rows))
    assert.deepStrictEqual(toJson(fold(read)), toJson(recording.state))
  })

  it("proves it on the way", () => {
    const { head } = recording
    const replayed = replay(rows, { sha256, head })
    assert.isTrue(replayed.chain.ok)
    assert.deepStrictEqual(toJson(replayed.state!), toJson(recording.state))
    const broken = rows.map((row) => (row.seq === 5 ? { ...row, type: "Teleported" } : row))
    const { chain, state, unreadable } = replay(broken, { sha256, head })
    assert.deepStrictEqual([chain.firstBad?.seq, state, unreadable?.seq], [5, null, 5])
  })

  it("stops at what can't be read", () => {
    const read = decodeAll(rows.map((row) => (row.seq === 5 ? { ...row, payload: "[]" } : row)))
    assert.strictEqual(Result.isFailure(read) ? read.failure.seq : 0, 5)
  })

  it("gives states that fit their schema", () => {
    for (let seq = 0; seq <= events.length; seq++) Schema.decodeUnknownSync(SessionState)(toJson(stateAt(events, seq)))
  })

  const place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: events.length }))

  it.prop("leads from any state to any other by its difference", [place, place], ([from, to]) => {
    const patched = JsonPatch.apply(stateDiff(events, from, to), toJson(stateAt(events, from)))
    assert.deepStrictEqual(patched, toJson(stateAt(events, to)))
  })

  it.prop("folds in two parts as in one", [place], ([at]) => {
    assert.deepStrictEqual(fold(events.slice(at), fold(events.slice(0, at))), recording.state)
  })
})

describe("evolve", () => {
  const known = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: events.length }))

  it.prop("takes any event in any state", [known, Schema.Array(SessionEvent)], ([at, list]) => {
    let state = stateAt(events, at)
    for (const event of list) state = evolve(state, event)
    Schema.decodeUnknownSync(SessionState)(toJson(state))
  })

  it.prop("changes nothing it was given", [known, SessionEvent], ([at, event]) => {
    const state = stateAt(events, at)
    const before = JSON.stringify([state, event])
    evolve(state, event)
    assert.strictEqual(JSON.stringify([state, event]), before)
  })
})
