import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { canonical } from "../../src/CanonicalJson.ts"
import type { Recorded } from "../../src/log/Envelope.ts"
import { verifyDecisions, type AcceptedCommand, type RejectedCommand } from "../../src/replay/Decisions.ts"
import * as CommandBody from "../../src/session/CommandBody.ts"
import * as Codec from "../../src/session/Codec.ts"
import { redact } from "../../src/session/Redaction.ts"
import { Recording, sha256 } from "../support/recording.ts"
import { richRefusals, richStory } from "../support/stories.ts"

const recording = new Recording().tell(...richStory).refuse(...richRefusals)
const { commands, events, rejections, rows } = recording

const verify = (
  list: ReadonlyArray<Recorded> = rows,
  accepted: ReadonlyArray<AcceptedCommand> = commands,
  rejected: ReadonlyArray<RejectedCommand> = rejections
) => Result.getOrThrow(verifyDecisions(list, { accepted, rejected }, { sha256 }))

const says = (report: ReturnType<typeof verify>, ...expected: ReadonlyArray<string>) => {
  assert.deepStrictEqual(
    report.findings.map(({ _tag, seq }) => `${_tag} ${seq}`),
    expected
  )
  assert.strictEqual(report.ok, expected.length === 0)
}

const withPayload = (seq: number, change: (payload: string) => string) =>
  rows.map((row) => (row.seq === seq ? { ...row, payload: change(row.payload!) } : row))

const seqOf = (tag: string) => events.findIndex((event) => event._tag === tag) + 1

describe("verifyDecisions", () => {
  it("finds that today's rules decide as they did", () => {
    const report = verify()
    says(report)
    assert.deepStrictEqual([report.accepted, report.rejected], [commands.length, rejections.length])
    assert.isAbove(report.accepted, 15)
  })

  it("names a command whose input the log had not taken", () => {
    const taken = rejections.find(({ reason }) => reason.includes("IdTaken"))!
    const unopened = commands.filter(({ body }) => !body.includes('"Open"'))
    const { commandId } = taken
    assert.deepInclude(verify(rows, unopened, [taken]).findings, {
      _tag: "NowAccepted",
      seq: taken.version,
      commandId,
      events: ["SystemMessageReceived"]
    })
    says(verify(rows, commands, [taken]))
  })

  it("names an event that its command does not lead to", () => {
    const seq = seqOf("SessionPaused")
    says(verify(withPayload(seq, (payload) => payload.replace(/"at":\d+/, `"at":1`))), `OtherEvent ${seq}`)
  })

  it("names an event that is missing at a command's end, and one too many", () => {
    const last = rows.length
    const extra = { ...rows[last - 1]!, seq: last + 1 }
    says(verify([...rows, extra], commands, []), `OtherEvent ${last + 1}`)
    const [first] = commands
    const short = rows.filter((row) => row.causationId === first!.commandId).slice(0, -1)
    says(verify(short, [first!], []), `OtherEvent ${short.length + 1}`)
  })

  it("names another command in the place of the one that was answered", () => {
    const mark = commands.find(({ body }) => body.includes(`"Pause"`))!
    const swap = (change: Partial<AcceptedCommand>) =>
      verify(
        rows,
        commands.map((one) => (one === mark ? { ...one, ...change } : one))
      )
    says(swap({ digest: "0".repeat(64) }), `DigestDiffers ${mark.seq}`)
    says(swap({ body: "{}" }), `CommandUnreadable ${mark.seq}`)
    says(
      swap({ body: mark.body.replace(`"Pause"`, `"Archive"`) }),
      `DigestDiffers ${mark.seq}`,
      `OtherEvent ${mark.seq}`
    )
    says(swap({ seq: rows.length + 9 }), `Misplaced ${rows.length + 9}`)
  })

  it("names a refusal that would not be made again, or for another reason", () => {
    const [first, second, third] = rejections
    const early = { ...first!, version: commands.find(({ body }) => body.includes("WithdrawTurn"))!.seq - 1 }
    says(verify(rows, commands, [early, second!, third!]), `NowAccepted ${early.version}`)
    const other = { ...first!, reason: `{"_tag":"NotOpen"}` }
    says(verify(rows, commands, [other, second!, third!]), `OtherReason ${rows.length}`)
    says(verify(rows, commands, [{ ...first!, version: 1 }, second!, third!]), "Misplaced 1")
  })

  it("names an acceptance that would be refused now", () => {
    const mark = commands[0]!
    const later = { ...mark, seq: commands[1]!.seq }
    const { findings } = verify(rows, [later], [])
    assert.deepStrictEqual(
      findings.map(({ _tag }) => _tag),
      ["CommandUnreadable"]
    )
    const pause = commands.find(({ body }) => body.includes(`"RetryTurn"`))!
    const { findings: refused } = verify(rows, [{ ...pause, seq: commands[1]!.seq }], [])
    assert.deepStrictEqual(
      refused.map(({ _tag }) => _tag),
      ["NowRefused"]
    )
  })

  it("looks past what a redaction took, and nothing else", () => {
    const blank = (row: Recorded) => ({
      ...row,
      payload: Codec.encode(redact(events[row.seq - 1]!)).payload,
      salt: null
    })
    const received = seqOf("MessageReceived")
    const report = verify(rows.map((row) => (row.seq === received ? blank(row) : row)))
    says(report)
    assert.isAbove(report.redacted, 0)
    const opening = commands[0]!
    const blanked = Result.getOrThrow(CommandBody.redact(opening.commandId, opening.body, events))
    assert.notInclude(blanked, "be brief")
    const marks = [{ ...opening, body: blanked }, ...commands.slice(1)]
    says(
      verify(
        rows.map((row) => (row.seq === received ? blank(row) : row)),
        marks
      )
    )
    const seq = seqOf("SessionPaused")
    const changed = withPayload(seq, (payload) => payload.replace(/"at":\d+/, `"at":1`))
    says(verify(changed.map((row) => (row.seq === received ? blank(row) : row))), `OtherEvent ${seq}`)
  })

  it("stops at what can't be read", () => {
    const result = verifyDecisions(
      withPayload(9, () => "[]"),
      { accepted: commands, rejected: rejections },
      { sha256 }
    )
    assert.strictEqual(Result.isFailure(result) ? result.failure.seq : 0, 9)
  })

  it("does not depend on who asked again", () => {
    assert.isTrue(commands.every(({ body }) => canonical(JSON.parse(body)) === body))
  })
})
