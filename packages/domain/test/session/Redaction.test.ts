import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { canonical } from "../../src/CanonicalJson.ts"
import { verifyChain } from "../../src/replay/ChainCheck.ts"
import { decodeAll } from "../../src/replay/Fold.ts"
import * as Codec from "../../src/session/Codec.ts"
import { plan } from "../../src/session/decide.ts"
import { evolve, fold } from "../../src/session/evolve.ts"
import { redact, redactCommand } from "../../src/session/Redaction.ts"
import { SessionCommand } from "../../src/session/SessionCommand.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial } from "../../src/session/SessionState.ts"
import { sessionStatus } from "../../src/session/standing.ts"
import { Recording, sha256 } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"
import { command } from "./make.ts"

const recording = new Recording().tell(...richStory)
const { events } = recording

/** The shape of a value: which situations, ids and numbers it has, whatever its texts say. */
const shape = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part) => {
    if (typeof part === "string") return /^[a-z]+_01/.test(part) ? part : "text"
    return typeof part?.text === "string" ? { type: "text" } : part
  })

describe("redact", () => {
  it.prop("gives an event of the same type, and nothing more to redact", [SessionEvent], ([event]) => {
    const once = redact(event)
    Schema.decodeUnknownSync(SessionEvent)(once)
    assert.strictEqual(once._tag, event._tag)
    assert.strictEqual(canonical(redact(once)), canonical(once))
  })

  it("leaves no word of what was said", () => {
    const secret =
      /\btidy\b|message \d|words|\boutput\b|the parent|today|signature|\btea\b|ls -l|"cups"|blue|long day|look it up|found it/i
    const text = events.map((event) => JSON.stringify(redact(event))).join("\n")
    assert.match(events.map((event) => JSON.stringify(event)).join("\n"), secret)
    assert.strictEqual(secret.exec(text)?.[0], undefined)
  })

  it("keeps the way of the fold", () => {
    let state = initial
    let blanked = initial
    for (const event of events) {
      state = evolve(state, event)
      blanked = evolve(blanked, redact(event))
      if (state._tag !== "Open" || blanked._tag !== "Open") continue
      const { agent: _, environmentId: __, metadata: ___, ...rest } = state
      const { agent: ____, environmentId: _____, metadata: ______, ...kept } = blanked
      const calls = /"(inputDigest|editedInput|details)":("[^"]*"|\{[^{}]*\}|null)/g
      const same = (value: object) => JSON.stringify(shape(value)).replaceAll(calls, `"$1":0`)
      assert.strictEqual(same(kept), same(rest), event._tag)
      assert.deepStrictEqual(sessionStatus(blanked).status, sessionStatus(state).status)
    }
  })

  it.prop("keeps the way of the fold, whatever happens", [Schema.Array(SessionEvent)], ([list]) => {
    const from = recording.state
    const plain = fold(list, from)
    const blanked = fold(list.map(redact), from)
    if (plain._tag !== "Open" || blanked._tag !== "Open") return assert.strictEqual(plain._tag, blanked._tag)
    assert.deepStrictEqual(blanked.totals, plain.totals)
    assert.deepStrictEqual(
      blanked.threads.map((thread) => [
        thread.threadId,
        thread.turn?.phase._tag,
        thread.queue.length,
        thread.stop.type
      ]),
      plain.threads.map((thread) => [thread.threadId, thread.turn?.phase._tag, thread.queue.length, thread.stop.type])
    )
  })

  it("keeps the chain of every event", () => {
    const requests = events.map((event) => ({ event: redact(event) }))
    const payloads = requests.map(({ event }) => Codec.encode(event).payload)
    const seqs = events.map((_, index) => index + 1)
    const replacements = payloads.map(sha256)
    const story = new Recording()
      .tell(...richStory)
      .tell({ _tag: "RequestRedaction", seqs, reason: "asked for", replacements })
    const rows = story.rows.map((row, index) =>
      index < payloads.length ? { ...row, payload: payloads[index]!, salt: null } : row
    )
    const report = verifyChain(rows, { sha256, head: story.head })
    assert.deepStrictEqual([report.ok, report.redacted], [true, events.length])
    assert.strictEqual(Result.getOrThrow(decodeAll(rows)).length, rows.length)
  })
})

describe("redactCommand", () => {
  it.prop("gives a command of the same kind", [SessionCommand], ([body]) => {
    const once = redactCommand(body)
    Schema.decodeUnknownSync(SessionCommand)(once)
    assert.strictEqual(canonical(redactCommand(once)), canonical(once))
  })

  it("leads to the redacted events", () => {
    let state = initial
    let blanked = initial
    for (const [index, told] of richStory.entries()) {
      // Whether a title is a new one is the one question that depends on content.
      const body = told._tag === "Update" ? { ...told, title: null } : told
      const one = Result.getOrThrow(plan(state, command(index, 1_000 * index, body)))
      const other = Result.getOrThrow(plan(blanked, command(index, 1_000 * index, redactCommand(body))))
      assert.strictEqual(canonical(other.events.map(redact)), canonical(one.events.map(redact)), body._tag)
      state = one.state
      blanked = other.state
    }
  })
})
