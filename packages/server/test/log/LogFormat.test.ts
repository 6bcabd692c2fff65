import { assert, layer } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import * as EventCodec from "@troupe/domain/log/EventCodec"
import * as Codec from "@troupe/domain/session/Codec"
import { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Context, Effect, Exit, Layer, Result, Schema, SchemaGetter, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { hash } from "node:crypto"
import { mintId, prng } from "../../../../test/support/Prng.ts"
import { NodeLock } from "../../src/cluster/NodeLock.ts"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import * as LogFormat from "../../src/log/LogFormat.ts"
import { Minting } from "../../src/log/Minting.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import * as SessionActor from "../../src/session/SessionActor.ts"
import { SessionCodec } from "../../src/session/SessionCodec.ts"
import { commandOf, openCommand } from "../support/CommandGenerator.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** What an update was before: it knew titles alone, by another name. */
const OldUpdated = Schema.TaggedStruct("SessionUpdated", {
  headline: Schema.NullOr(Schema.String),
  at: Schema.Int
})
const older = OldUpdated.pipe(
  Schema.decodeTo(Schema.toType(SessionEvent.cases.SessionUpdated), {
    decode: SchemaGetter.transform(({ at, headline }) =>
      SessionEvent.cases.SessionUpdated.make({ title: headline, at })
    ),
    encode: SchemaGetter.transform(({ at, title }) => ({
      _tag: "SessionUpdated" as const,
      headline: title ?? null,
      at
    }))
  })
)
/** A release in which updates have a second version, and in which pauses are new. */
const newRelease = Codec.make({ SessionUpdated: [older] }, { SessionUpdated: [1, 2], SessionPaused: [2] })
const oldRelease = EventCodec.make<typeof OldUpdated.Type>({ SessionUpdated: [OldUpdated] })

const settledMs = 100

/** A node of a release that reads logs up to this format, until its scope is closed. */
const node = Effect.fnUntraced(function* (port: number, reads: number) {
  const { appUrl } = yield* TestDatabase
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.merge(
    NodeLock.layer({ url: appUrl, release: `reads ${reads}`, reads }),
    LogFormat.layer({ reads, settledMs })
  ).pipe(Layer.buildWithScope(scope))
  yield* Context.get(context, NodeLock).announce(`127.0.0.1:${port}`)
  return { format: Context.get(context, LogFormat.LogFormat), context, close: Scope.close(scope, Exit.void) }
})

const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>, what: string) =>
  condition.pipe(
    Effect.tap((met) => (met ? Effect.void : Effect.sleep(20))),
    Effect.repeat({ until: (met) => met }),
    Effect.timeoutOrElse({ duration: 60_000, orElse: () => Effect.die(new Error(`never: ${what}`)) })
  )

const Services = Layer.mergeAll(Minting.layer, Feeds.layer).pipe(
  Layer.provideMerge(EventStorePg.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer())
)

layer(Services, { excludeTestServices: true })("nodes of two releases on one log", (it) => {
  it.effect(
    "write what both read, and what is new once the older one is gone",
    () =>
      Effect.gen(function* () {
        const store = yield* EventStore
        const before = yield* node(2001, 1)
        const after = yield* node(2002, 2)
        const random = prng(3)
        const sessionId = mintId(random, "Session") as SessionId
        const actor = yield* SessionActor.make({
          ...{ sessionId, shard: 1, sha256: (text: string) => hash("sha256", text, "hex") },
          ...{ react: () => undefined, stop: () => undefined }
        }).pipe(Effect.provide(after.context), Effect.provideService(SessionCodec, newRelease))
        const send = (body: SessionCommand) => actor.handle(commandOf(random, Date.now(), body))
        const updates = Effect.map(store.read(sessionId, { after: 0, limit: 100 }), (log) =>
          log.filter(({ type }) => type === "SessionUpdated")
        )

        yield* send({ ...openCommand(random, sessionId), inputs: [], budget: [], history: [] } as SessionCommand)
        yield* send({ _tag: "Update", title: "one", labels: ["lost on the way"] })
        const [one] = yield* updates
        assert.strictEqual(one!.version, 1)
        assert.strictEqual(Result.getOrThrow(oldRelease.decodeStrict(one!)).headline, "one")
        // What the older shape can't say is nowhere, in memory as little as in the log.
        const { state } = yield* actor.current
        assert.deepInclude(state, { title: "one", labels: [] })

        const refused = yield* Effect.flip(send({ _tag: "Pause" }))
        assert.deepInclude(refused, { _tag: "EventNotReadableYet", type: "SessionPaused" })
        assert.strictEqual(after.format.current(), 1)

        yield* before.close
        yield* eventually(
          Effect.sync(() => after.format.current() === 2),
          "the newer node writes what is new"
        )
        yield* send({ _tag: "Update", title: "two", labels: ["kept"] })
        yield* send({ _tag: "Pause" })
        const two = (yield* updates)[1]!
        assert.strictEqual(two.version, 2)
        assert.strictEqual(Result.getOrThrow(Result.flip(oldRelease.decodeStrict(two))).reason._tag, "NewerVersion")
        assert.deepInclude((yield* actor.current).state, { title: "two", labels: ["kept"] })

        // Whoever loads it folds the same from shapes of both.
        const loaded = yield* SessionActor.make({
          ...{ sessionId, shard: 1, sha256: (text: string) => hash("sha256", text, "hex") },
          ...{ react: () => undefined, stop: () => undefined }
        }).pipe(Effect.provide(after.context), Effect.provideService(SessionCodec, newRelease))
        assert.deepStrictEqual((yield* loaded.current).state, (yield* actor.current).state)

        // There is no way back: a node that can't read it does not start, and one that was away may not register.
        const started = yield* Effect.flip(Effect.scoped(Layer.build(LogFormat.layer({ reads: 1 }))))
        assert.deepInclude(started, { _tag: "LogTooNew", written: 2, read: 1 })
        const { appUrl } = yield* TestDatabase
        const registered = yield* Effect.scoped(
          Effect.gen(function* () {
            const lock = Context.get(
              yield* Layer.build(NodeLock.layer({ url: appUrl, release: "old", reads: 1 })),
              NodeLock
            )
            assert.isTrue(yield* lock.await(60_000))
            return yield* Effect.flip(lock.announce("127.0.0.1:2003"))
          })
        )
        assert.include(registered.message, "a newer one is needed")
        const sql = yield* SqlClient.SqlClient
        assert.lengthOf(yield* sql`SELECT FROM nodes WHERE address = '127.0.0.1:2003'`, 0)
      }),
    180_000
  )
})
