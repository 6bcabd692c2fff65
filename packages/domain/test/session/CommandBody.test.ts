import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { canonical } from "../../src/CanonicalJson.ts"
import { text } from "../../src/session/Content.ts"
import * as CommandBody from "../../src/session/CommandBody.ts"
import { plan } from "../../src/session/decide.ts"
import { Command, type SessionCommand } from "../../src/session/SessionCommand.ts"
import { initial } from "../../src/session/SessionState.ts"
import { recorded, sha256 } from "../support/recording.ts"
import { command, message, open, send } from "./make.ts"

const long = text("a long message, ".repeat(20))
const opened = recorded().state

const decided = (taken: Command) => {
  const state = taken.body._tag === "Open" ? initial : opened
  return Result.match(plan(state, taken), { onSuccess: ({ events }) => events, onFailure: () => [] })
}

const roundTrip = (taken: Command): string => {
  const events = decided(taken)
  const body = CommandBody.compact(taken, events)
  const again = Result.getOrThrow(CommandBody.expand(taken.commandId, body, events))
  assert.strictEqual(canonical(again), canonical(taken))
  return body
}

describe("CommandBody", () => {
  it("keeps content once", () => {
    const body = roundTrip(command(1, 1, send(message(1, { content: long }), message(2, { content: long }))))
    assert.include(body, `"content":{"$event":0,"path":["content"]}`)
    assert.notInclude(body, "a long message")
  })

  it("keeps an opening's snapshots once", () => {
    const body = roundTrip(command(1, 1, open({ metadata: { note: "x".repeat(200) }, inputs: [message(1)] })))
    assert.include(body, `"agent":{"$event":0,"path":["agent"]}`)
    assert.isBelow(body.length, 900)
  })

  it("keeps all of a refused command", () => {
    const taken = command(1, 1, send(message(1, { content: long })))
    const body = CommandBody.compact(taken, [])
    assert.include(body, "a long message")
    assert.deepStrictEqual(Result.getOrThrow(CommandBody.expand(taken.commandId, body, [])), taken)
  })

  it("does not take a client's words for its own", () => {
    const changes = { a: { $event: 0, path: ["digest"] }, b: [{ $literal: { $event: 1 } }], c: "x".repeat(100) }
    const reconfigure: SessionCommand = { _tag: "Reconfigure", threadId: null, changes, digest: "0".repeat(64) }
    roundTrip(command(1, 1, reconfigure))
    const taken = command(1, 1, reconfigure)
    const kept = CommandBody.compact(taken, [])
    assert.deepStrictEqual(Result.getOrThrow(CommandBody.expand(taken.commandId, kept, [])), taken)
  })

  it("says so when the events are others", () => {
    const taken = command(1, 1, send(message(1, { content: long })))
    const body = CommandBody.compact(taken, decided(taken))
    for (const events of [[], recorded().events.slice(1)]) {
      const result = CommandBody.expand(taken.commandId, body, events)
      assert.isTrue(Result.isFailure(result))
    }
    for (const broken of ["", "{", "[]", "null", `{"body":{"$event":0}}`]) {
      assert.isTrue(Result.isFailure(CommandBody.expand(taken.commandId, broken, decided(taken))), broken)
    }
  })

  it.prop("gives back every command", [Command], ([taken]) => {
    roundTrip(taken)
    assert.strictEqual(CommandBody.compact(taken, decided(taken)), CommandBody.compact(taken, decided(taken)))
  })

  it.prop("has one digest for one body, whoever sends it and whenever", [Command, Command], ([first, second]) => {
    const later = { ...second, body: JSON.parse(JSON.stringify(first.body)) }
    assert.strictEqual(CommandBody.digest(sha256, later), CommandBody.digest(sha256, first))
  })

  it("has another digest for another body", () => {
    const digests = [send(message(1)), send(message(2)), send(message(1, { content: long }))].map((body) =>
      CommandBody.digest(sha256, command(1, 1, body))
    )
    assert.strictEqual(new Set(digests).size, 3)
  })
})
