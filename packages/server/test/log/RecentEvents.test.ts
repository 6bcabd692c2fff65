import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { type RecentEvent, make } from "../../src/log/RecentEvents.ts"

const session = "sesn_a" as SessionId

const event = (seq: number, tag = "SessionPaused", size = 10): RecentEvent => ({
  seq,
  event: { _tag: tag, at: seq } as never,
  size
})

const events = (from: number, to: number): ReadonlyArray<RecentEvent> =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index))

const seqs = (found: ReadonlyArray<RecentEvent> | null) => found?.map(({ seq }) => seq)

describe("what was written here", () => {
  it("is known from where it begins to where it ends, and not beyond", () => {
    const recent = make()
    assert.isNull(recent.between(session, 0, 1))
    recent.note(session, events(4, 6))
    recent.note(session, events(7, 8))
    assert.deepStrictEqual(seqs(recent.between(session, 3, 8)), [4, 5, 6, 7, 8])
    assert.deepStrictEqual(seqs(recent.between(session, 5, 7)), [6, 7])
    assert.deepStrictEqual(seqs(recent.between(session, 8, 8)), [])
    assert.isNull(recent.between(session, 2, 8))
    assert.isNull(recent.between(session, 3, 9))
    assert.isNull(recent.between("sesn_b" as SessionId, 3, 8))
  })

  it("begins anew where another node has written in between", () => {
    const recent = make()
    recent.note(session, events(1, 3))
    recent.note(session, events(7, 8))
    assert.isNull(recent.between(session, 0, 8))
    assert.isNull(recent.between(session, 0, 3))
    assert.deepStrictEqual(seqs(recent.between(session, 6, 8)), [7, 8])
  })

  it("is the end of it, where it is long", () => {
    const recent = make()
    recent.note(session, events(1, 100))
    recent.note(session, events(101, 200))
    assert.isNull(recent.between(session, 71, 200))
    assert.strictEqual(recent.between(session, 72, 200)?.length, 128)
    recent.note(session, [event(201, "SessionPaused", 300_000)])
    assert.isNull(recent.between(session, 200, 201))
  })

  it("is forgotten where something is taken out of the log", () => {
    for (const tag of ["RedactionRequested", "RedactionApplied"]) {
      const recent = make()
      recent.note(session, events(1, 3))
      recent.note(session, [event(4, tag)])
      assert.isNull(recent.between(session, 0, 3))
      recent.note(session, events(5, 6))
      assert.isNull(recent.between(session, 3, 6))
      assert.deepStrictEqual(seqs(recent.between(session, 4, 6)), [5, 6])
    }
  })
})
