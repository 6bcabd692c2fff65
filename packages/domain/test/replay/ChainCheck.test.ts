import { assert, describe, it } from "@effect/vitest"
import { genesis } from "../../src/log/Chain.ts"
import type { Recorded } from "../../src/log/Envelope.ts"
import { ChainCheck, verifyChain, type ChainFinding } from "../../src/replay/ChainCheck.ts"
import { Recording, sha256 } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"

const recording = new Recording().tell(...richStory)
const rows: ReadonlyArray<Recorded> = recording.rows
const { head } = recording

const verify = (list: ReadonlyArray<Recorded>, top = head) => verifyChain(list, { sha256, head: top })

/** The log with one row changed. */
const changed = (seq: number, change: Partial<Recorded>) =>
  rows.map((row) => (row.seq === seq ? { ...row, ...change } : row))

const listed = (findings: ReadonlyArray<ChainFinding>) => findings.map(({ _tag, seq }) => `${_tag} ${seq}`)

const says = (list: ReadonlyArray<Recorded>, ...expected: ReadonlyArray<string>) => {
  const report = verify(list)
  assert.deepStrictEqual(listed(report.findings), expected)
  assert.isFalse(report.ok)
  assert.deepStrictEqual(report.firstBad, report.findings[0])
}

describe("verifyChain", () => {
  it("finds nothing in a log that is as it was written", () => {
    const report = verify(rows)
    assert.isTrue(report.ok, JSON.stringify(report.findings))
    assert.deepStrictEqual([report.checked, report.redacted, report.chain], [rows.length, 0, head.chain])
  })

  it("names a flipped character of a payload", () => {
    const row = rows.find(({ payload }) => payload!.includes("tidy"))!
    says(changed(row.seq, { payload: row.payload!.replace("tidy", "tiny") }), `PayloadChanged ${row.seq}`)
  })

  it("names a payload changed together with its commitment", () => {
    const payload = "{}"
    says(changed(7, { payload, commitment: sha256(rows[6]!.salt + payload) }), "ChainBroken 7")
  })

  it("names a wrong commitment", () =>
    says(changed(7, { commitment: "0".repeat(64) }), "PayloadChanged 7", "ChainBroken 7"))

  it("names a changed chain value, and the row after it", () =>
    says(changed(7, { chain: "0".repeat(64) }), "ChainBroken 7", "ChainBroken 8"))

  const other: ReadonlyArray<Partial<Recorded>> = [
    { eventId: rows[0]!.eventId },
    { type: "TurnMoved" },
    { version: 2 },
    { actorText: `{"type":"api_key","id":"boss"}` },
    { correlationId: "0".repeat(32) },
    { threadId: null },
    { stream: "workspace" }
  ]
  for (const change of other) {
    it(`names a changed ${Object.keys(change)[0]}`, () => {
      const { seq } = rows.find((row) => row.threadId !== null)!
      says(changed(seq, change), `ChainBroken ${seq}`)
    })
  }

  it("names another time and another epoch", () => {
    says(changed(7, { recordedAt: rows[6]!.recordedAt + 1 }), "ChainBroken 7", "TimeNotIncreasing 8")
    says(changed(7, { recordedAt: rows[5]!.recordedAt }), "ChainBroken 7", "TimeNotIncreasing 7")
    says(changed(7, { epoch: 5 }), "ChainBroken 7", "EpochDecreased 8")
    says(changed(7, { epoch: 0 }), "ChainBroken 7", "EpochDecreased 7")
  })

  it("names another session's row", () =>
    says(changed(7, { streamId: "sesn_other" }), "OtherStream 7", "ChainBroken 7"))

  it("names a log that is another session's altogether", () => {
    const of = { ...rows[0]!, streamId: "sesn_other" }
    assert.strictEqual(verifyChain(rows, { sha256, of }).found, rows.length)
  })

  it("names the place of a deleted row", () =>
    says(
      rows.filter((row) => row.seq !== 7),
      "WrongSeq 8",
      "ChainBroken 8"
    ))

  it("names the place of a deleted row behind which all were counted anew", () => {
    const list = rows.filter((row) => row.seq !== 7).map((row, index) => ({ ...row, seq: index + 1 }))
    const { firstBad, found } = verify(list)
    assert.deepStrictEqual(firstBad, { _tag: "ChainBroken", seq: 7 })
    assert.isAbove(found, rows.length - 8)
  })

  it("names an inserted row", () => {
    const copy = { ...rows[6]!, eventId: rows[0]!.eventId }
    says([...rows.slice(0, 7), copy, ...rows.slice(7)], "WrongSeq 7", "ChainBroken 7", "TimeNotIncreasing 7")
    const next = { ...copy, seq: 8, recordedAt: rows[7]!.recordedAt }
    const moved = rows.slice(7).map((row) => ({ ...row, seq: row.seq + 1, recordedAt: row.recordedAt + 1 }))
    assert.deepStrictEqual(verify([...rows.slice(0, 7), next, ...moved]).firstBad, { _tag: "ChainBroken", seq: 8 })
  })

  it("names rows in another order", () => {
    const list = [...rows]
    const [a, b] = [list[6]!, list[7]!]
    list[6] = { ...b, seq: a.seq, recordedAt: a.recordedAt }
    list[7] = { ...a, seq: b.seq, recordedAt: b.recordedAt }
    assert.deepStrictEqual(verify(list).firstBad, { _tag: "ChainBroken", seq: 7 })
  })

  it("names what is missing at the end", () => {
    const { findings } = verify(rows.slice(0, -2))
    assert.deepStrictEqual(
      findings.map((finding) => (finding._tag === "HeadDiffers" ? finding.field : finding._tag)),
      ["version", "chain"]
    )
  })

  it("names a head that lost its epoch", () => {
    const { findings } = verify(rows, { ...head, epoch: 0 })
    assert.deepStrictEqual(findings, [{ _tag: "HeadDiffers", seq: rows.length, field: "epoch", expected: "0" }])
  })

  it("names a command whose events don't stand together", () => {
    const split = new Recording()
    const by = (row: Recorded) => ({
      commandId: row.causationId,
      at: 1,
      actor: JSON.parse(row.actorText),
      correlationId: row.correlationId,
      body: { _tag: "Wake" as const }
    })
    split.write(recording.events[0]!, by(rows[0]!))
    split.write(recording.events[1]!, by(rows.at(-1)!))
    split.write(recording.events[2]!, by(rows[0]!))
    assert.deepStrictEqual(listed(verifyChain(split.rows, { sha256 }).findings), ["CommandSplit 3"])
  })

  it("stops listing, and goes on counting", () => {
    const broken = rows.map((row) => ({ ...row, payload: "{}" }))
    const report = verifyChain(broken, { sha256, findingsMax: 3 })
    assert.strictEqual(report.findings.length, 3)
    assert.isAbove(report.found, rows.length / 2)
  })

  it("goes on from a place that is believed", () => {
    const { chain, epoch, recordedAt } = rows[9]!
    const from = { version: 10, chain, epoch, recordedAt }
    assert.isTrue(verifyChain(rows.slice(10), { sha256, from, head }).ok)
    assert.isFalse(verifyChain(rows.slice(10), { sha256, from: { ...from, chain: genesis }, head }).ok)
  })

  it("answers event by event", () => {
    const check = new ChainCheck({ sha256 })
    const answers = changed(7, { payload: "{}" }).map((row) => check.push(row))
    assert.deepStrictEqual([answers.indexOf(false), answers.lastIndexOf(false)], [6, 6])
  })
})

describe("verifyChain on a redacted log", () => {
  const replacement = `{"redacted":true}`
  const redacted = (seq: number, digest: string) => {
    const request = { _tag: "RequestRedaction" as const, seqs: [seq], reason: "asked for", replacements: [digest] }
    const story = new Recording().tell(...richStory, request)
    return {
      list: story.rows.map((row) => (row.seq === seq ? { ...row, payload: replacement, salt: null } : row)),
      head: story.head
    }
  }

  it("counts what is gone, and still proves its place", () => {
    const { head: top, list } = redacted(7, sha256(replacement))
    const report = verify(list, top)
    assert.isTrue(report.ok, JSON.stringify(report.findings))
    assert.strictEqual(report.redacted, 1)
    const moved = list.map((row) => (row.seq === 7 ? { ...row, threadId: null, type: "TurnMoved" } : row))
    assert.deepStrictEqual(verify(moved, top).firstBad, { _tag: "ChainBroken", seq: 7 })
  })

  it("names a redaction that nobody asked for, or not for this", () => {
    const { head: top, list } = redacted(7, sha256("{}"))
    assert.deepStrictEqual(verify(list, top).findings, [{ _tag: "RedactionNotAsked", seq: 7 }])
    says(changed(7, { salt: null, payload: replacement }), "RedactionNotAsked 7")
    says(changed(7, { salt: null }), "RedactionNotAsked 7")
  })
})
