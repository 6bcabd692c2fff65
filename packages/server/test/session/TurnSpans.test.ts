import { assert, describe, it } from "@effect/vitest"
import type { TurnId } from "@troupe/domain/Ids"
import type { Command } from "@troupe/domain/session/SessionCommand"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { TurnSpans } from "../../src/session/TurnSpans.ts"

const turn = (n: number) => `turn_${n}` as TurnId
const command = (body: object) => ({ body }) as Command
const sending = (...turns: ReadonlyArray<number>) =>
  command({ _tag: "Send", inputs: turns.map((n) => ({ _tag: "Message", turnId: turn(n) })) })
/** A session whose one thread is about to go on with a turn. */
const goingOn = (n: number, attempts: number) =>
  ({
    _tag: "Open",
    threads: [{ turn: { turnId: turn(n), attempts, phase: { _tag: "Placing", notBefore: null, waiting: null } } }]
  }) as unknown as SessionState

describe("By whose request turns go on", () => {
  it("is known of each turn that a request brought", () => {
    const spans = new TurnSpans()
    spans.note(sending(1, 2), "first", initial)
    spans.note(sending(3), "second", initial)
    assert.deepStrictEqual(
      [1, 2, 3, 4].map((n) => spans.of(turn(n))),
      ["first", "first", "second", null]
    )
  })

  it("stays the request that began it, whoever lets it go on", () => {
    const spans = new TurnSpans()
    spans.note(sending(1), "first", initial)
    spans.note(command({ _tag: "Resume" }), "second", goingOn(1, 1))
    assert.strictEqual(spans.of(turn(1)), "first")
  })

  it("is whoever lets it go on, where nobody remembers", () => {
    const spans = new TurnSpans()
    spans.note(command({ _tag: "Resume" }), "second", goingOn(1, 1))
    // One that has not begun yet is of a request that is not known, and not of this one.
    spans.note(command({ _tag: "Update" }), "third", goingOn(2, 0))
    assert.deepStrictEqual([spans.of(turn(1)), spans.of(turn(2))], ["second", null])
  })

  it("is forgotten of the oldest, so that memory stays bounded", () => {
    const spans = new TurnSpans()
    for (let n = 0; n < 300; n++) spans.note(sending(n), `span ${n}`, initial)
    assert.isNull(spans.of(turn(0)))
    assert.strictEqual(spans.of(turn(299)), "span 299")
  })
})
