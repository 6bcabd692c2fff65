import { assert, describe, it } from "vitest"
import { staleAfter } from "../../src/app/changes.logic.ts"
import { contentOf, isTaken, refusal } from "../../src/session/attachments.logic.ts"
import { droppedBefore, movesOf } from "../../src/session/queue/queue.logic.ts"
import { proofsOf } from "../../src/session/verify.logic.ts"

describe("a queue", () => {
  const queue = ["a", "b", "c"].map((turnId) => ({ turnId }))

  it("moves one before its neighbour, or behind all", () => {
    assert.deepStrictEqual(movesOf(queue, "a"), { down: "c" })
    assert.deepStrictEqual(movesOf(queue, "b"), { up: "a", down: null })
    assert.deepStrictEqual(movesOf(queue, "c"), { up: "b" })
    assert.deepStrictEqual(movesOf(queue, "begun by now"), {})
  })

  it("has one take the place of that which it is dropped on", () => {
    assert.strictEqual(droppedBefore(queue, "c", "a"), "a")
    assert.strictEqual(droppedBefore(queue, "a", "b"), "c")
    assert.isNull(droppedBefore(queue, "a", "c"))
    for (const [moved, onto] of [
      ["b", "b"],
      ["begun by now", "a"],
      ["a", "begun by now"]
    ] as const) {
      assert.isUndefined(droppedBefore(queue, moved, onto))
    }
  })
})

describe("attachments", () => {
  it("come before the words, pictures as pictures and others as documents", () => {
    const files = [
      { id: "file_1", name: "plan.pdf", mediaType: "application/pdf" },
      { id: "file_2", name: "shot.png", mediaType: "image/png" }
    ]
    assert.deepStrictEqual(contentOf("Look", files), [
      { type: "document", source: { type: "file", file_id: "file_1" }, title: "plan.pdf" },
      { type: "image", source: { type: "file", file_id: "file_2" } },
      { type: "text", text: "Look" }
    ])
    assert.deepStrictEqual(contentOf("", []), [])
  })

  it("are refused by name where no model can look at them", () => {
    assert.isTrue(isTaken("text/csv"))
    assert.isNull(refusal([{ name: "a.png", type: "image/png" }]))
    assert.include(refusal([{ name: "a.zip", type: "application/zip" }]) ?? "", "a.zip")
  })
})

describe("a proof", () => {
  const whole = { ok: true, findings: [] }
  const verified = {
    chain: { ...whole, checked: 12, redacted: 1 },
    decisions: { ...whole, accepted: 3, rejected: 1 },
    projection: whole,
    unreadable: null
  }

  it("says what was checked", () => {
    const proofs = proofsOf(verified as never)
    assert.isTrue(proofs.every(({ ok }) => ok))
    assert.include(proofs[0]!.text, "12 events")
    assert.include(proofs[0]!.text, "redacted")
    assert.include(proofs[1]!.text, "4 commands")
  })

  it("says what does not hold", () => {
    const chain = { ok: false, findings: [{}], checked: 12, redacted: 0 }
    const proofs = proofsOf({ ...verified, chain, decisions: null, unreadable: "event 13" } as never)
    assert.deepStrictEqual(
      proofs.map(({ ok }) => ok),
      [false, true, false]
    )
  })
})

describe("what happens in a workspace", () => {
  it("has those lists asked for again that it changes, and all where some was missed", () => {
    assert.deepStrictEqual(staleAfter("session.changed"), ["newest-sessions"])
    assert.deepStrictEqual(staleAfter("inbox.closed"), ["inbox"])
    assert.deepStrictEqual(staleAfter("at"), [])
    assert.strictEqual(staleAfter("reset"), "all")
  })
})
