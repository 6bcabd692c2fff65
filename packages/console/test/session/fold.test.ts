import { assert, describe, it } from "vitest"
import { tell, untold } from "../../src/session/fold.logic.ts"
import { nothingWritten, type Writing, writeOn, written } from "../../src/session/writing.logic.ts"
import { goldenLog } from "./goldenLog.ts"

const log = goldenLog()

describe("a session as its log tells it", () => {
  it("is the same however the log is cut into parts, and whatever comes twice", () => {
    const whole = tell(untold, log).told
    for (const size of [1, 3, 50]) {
      let told = untold
      for (let at = 0; at < log.length; at += size) {
        const again = log.slice(Math.max(0, at - 2), at + size)
        told = tell(told, again).told
      }
      assert.deepStrictEqual(told, whole)
    }
  })

  it("stops before a gap, and says so", () => {
    const { gap, told } = tell(untold, [...log.slice(0, 5), ...log.slice(6)])
    assert.isTrue(gap)
    assert.strictEqual(told.seen, 5)
    assert.isFalse(tell(told, log.slice(5)).gap)
  })

  it("passes by what was redacted", () => {
    const redacted = log.map((event) => (event.type === "MessageBlock" ? { ...event, payload: null } : event))
    const { told } = tell(untold, redacted)
    const items = told.timeline.threads.flatMap(({ turns }) => turns.flatMap((turn) => turn.items))
    assert.isFalse(items.some(({ kind }) => kind === "text"))
    assert.strictEqual(told.seen, log.length)
  })
})

describe("what is still being written", () => {
  const block = log.find(({ type }) => type === "MessageBlock")!
  const event_id = String((block.payload as unknown as { readonly blockId: string }).blockId)
  const part = (offset: number, text: string) => ({ event_id, offset, text })
  const parts = (...all: ReadonlyArray<ReturnType<typeof part>>) => all.reduce(writeOn, nothingWritten)
  const text = (writing: Writing) => writing.get(event_id)?.text
  const writing = parts(part(0, "Hel"), part(3, "lo"))

  it("grows by its pieces", () => assert.strictEqual(text(writing), "Hello"))

  it("has nothing twice, whatever a connection that came back says again", () => {
    assert.strictEqual(writeOn(writing, part(0, "Hello")), writing)
    assert.strictEqual(text(writeOn(writing, part(2, "llo you"))), "Hello you")
  })

  it("shows where something was missed, also at its beginning", () => {
    assert.strictEqual(text(writeOn(writing, part(9, "again"))), "Hello… again")
    assert.strictEqual(text(parts(part(20, "the end"))), "… the end")
  })

  it("goes once it is in the log, or its turn is over", () => {
    assert.strictEqual(written(writing, [block]).size, 0)
    assert.strictEqual(written(writing, [log.find(({ type }) => type === "TurnCompleted")!]).size, 0)
    assert.strictEqual(written(writing, [log[0]!]), writing)
  })
})
