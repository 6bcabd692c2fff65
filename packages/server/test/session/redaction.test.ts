import { assert, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid, type SessionId } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { canonical } from "@troupe/domain/CanonicalJson"
import { verifyChain } from "@troupe/domain/replay/ChainCheck"
import * as Codec from "@troupe/domain/session/Codec"
import { text } from "@troupe/domain/session/Content"
import { fold } from "@troupe/domain/session/evolve"
import * as Redaction from "@troupe/domain/session/Redaction"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { hash } from "node:crypto"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import * as NoRunners from "../support/NoRunners.ts"
import * as Reactor from "../../src/session/Reactor.ts"
import * as RedactionApplierPg from "../../src/session/RedactionApplierPg.ts"
import * as SessionActor from "../../src/session/SessionActor.ts"
import { commandOf, openCommand } from "../support/CommandGenerator.ts"
import { mintId, prng } from "../../../../test/support/Prng.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const sha256 = (value: string) => hash("sha256", value, "hex")
const secret = "the password is swordfish, and everything after it is here to make this a long message: ".repeat(3)

const Services = Layer.mergeAll(RedactionApplierPg.layer, Minting.layer, Feeds.layer, NoRunners.layer).pipe(
  Layer.provideMerge(EventStorePg.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer())
)

const asOwner = (statement: string, values: ReadonlyArray<unknown>) =>
  Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe(statement, values)).pipe(
    Effect.provide(TestDatabase.layerOwner())
  )

const confirmed = (rows: ReadonlyArray<Recorded>): number =>
  rows.reduce((sum, row) => {
    const event = Result.getOrThrow(Codec.decodeFast(row))
    return sum + (event._tag === "RedactionApplied" ? event.seqs.length : 0)
  }, 0)

layer(Services)("a redaction", (it) => {
  it.effect("takes content out of events and commands, and leaves a log that proves itself and folds", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const random = prng(7)
      const sessionId = mintId(random, "Session") as SessionId
      let react: Reactor.Reactor["reconcile"] = () => undefined
      const actor = yield* SessionActor.make({
        sessionId,
        shard: 1,
        sha256,
        react: (activation) => react(activation),
        stop: () => undefined
      })
      const reactor = yield* Reactor.make({
        sessionId,
        handle: (one) => actor.handle(one),
        overtaken: () => actor.overtaken(),
        keep: () => undefined,
        lostAfterMs: Reactor.lostAfterMs
      })
      react = (activation) => reactor.reconcile(activation)
      const send = (body: SessionCommand) => actor.handle(commandOf(random, 0, body))
      const events = store.read(sessionId, { after: 0, limit: 1_000 })

      yield* send({ ...openCommand(random, sessionId), inputs: [], budget: [] } as SessionCommand)
      const message = {
        _tag: "Message",
        inputId: mintId(random, "Event"),
        turnId: mintId(random, "Turn"),
        threadId: null,
        content: text(secret),
        mode: "queue",
        overrides: {},
        needsApproval: false
      }
      yield* send({ _tag: "Send", inputs: [message] } as never as SessionCommand)
      // Refused, and kept as it was said; another refused one says something else.
      const again = { ...message, inputId: mintId(random, "Event"), threadId: mintId(random, "Thread") }
      yield* Effect.flip(send({ _tag: "Send", inputs: [again] } as never as SessionCommand))
      const harmless = { ...again, content: text("nothing that anybody minds") }
      yield* Effect.flip(send({ _tag: "Send", inputs: [harmless] } as never as SessionCommand))
      // What nobody can read any more may say anything: it is not kept.
      const garbled = commandOf(random, 0, {
        _tag: "Send",
        inputs: [{ ...harmless, turnId: mintId(random, "Turn") }]
      } as never)
      yield* Effect.flip(actor.handle(garbled))
      yield* asOwner("UPDATE rejections SET body = '{\"torn' WHERE command_id = $1", [toUuid(garbled.commandId)!])
      const before = yield* events
      const told = before.filter((event) => event.payload?.includes("swordfish"))
      assert.isAbove(told.length, 1)

      // Only the first of them is named: the others carry the same content.
      const named = told.slice(0, 1)
      const blanked = named.map((event) => Codec.encode(Redaction.redact(Result.getOrThrow(Codec.decodeFast(event)))))
      yield* send({
        _tag: "RequestRedaction",
        seqs: named.map((event) => event.seq),
        reason: "asked for",
        replacements: blanked.map(({ payload }) => sha256(payload))
      })
      const done = events.pipe(
        Effect.tap(() => TestClock.adjust(100)),
        Effect.repeat({
          until: (all) => told.every(({ seq }) => all[seq - 1]!.salt === null) && confirmed(all) === told.length
        })
      )
      const after = yield* done

      assert.notInclude(after.map((event) => event.payload).join(), "swordfish")
      const commands = yield* store.commands(sessionId, { after: null, limit: 100 })
      assert.notInclude(commands.map((command) => command.body).join(), "swordfish")
      const bodyOf = (id: string) => commands.find(({ commandId }) => commandId === id)!.body
      const rejected = commands.filter(({ rejection }) => rejection !== null).map(({ body }) => body)
      assert.strictEqual(bodyOf(garbled.commandId), null)
      assert.lengthOf(rejected, 3)
      assert.deepStrictEqual(rejected.map((body) => body?.includes("nothing that anybody minds") ?? null).toSorted(), [
        null,
        null,
        true
      ])
      const { current } = actor
      const activation = yield* current
      const state = fold(after.map((event) => Result.getOrThrow(Codec.decodeStrict(event))))
      assert.strictEqual(canonical(activation.state), canonical(state))
      const report = verifyChain(after, { sha256 })
      assert.deepStrictEqual([report.ok, report.redacted], [true, told.length])
      // What stands in the place of the content is what the log says stands there.
      assert.notInclude(JSON.stringify(state), "swordfish")
    })
  )

  it.effect("of an event that does not exist is refused", () =>
    Effect.gen(function* () {
      const random = prng(8)
      const sessionId = mintId(random, "Session") as SessionId
      const actor = yield* SessionActor.make({
        sessionId,
        shard: 1,
        sha256,
        react: () => undefined,
        stop: () => undefined
      })
      const send = (body: SessionCommand) => actor.handle(commandOf(random, 0, body))
      yield* send({ ...openCommand(random, sessionId), inputs: [], budget: [] } as SessionCommand)
      const refused = yield* Effect.flip(
        send({ _tag: "RequestRedaction", seqs: [1_000], reason: "asked for", replacements: ["0".repeat(64)] })
      )
      assert.deepInclude(refused, { reason: { _tag: "UnknownSeq", seq: 1_000 } })
    })
  )
})
