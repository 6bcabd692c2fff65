import { assert, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid } from "@troupe/domain/Ids"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { cuttingProxy } from "../support/CuttingProxy.ts"
import { LogWriter, markOf, newCommandId, newWorkspaceId, opened, rejectionOf } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { reasonOf, verdictOf, verify } from "./conformance/judging.ts"

const TestStore = EventStorePg.layer.pipe(
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

/** Another node: a store with connections and a batcher of its own. */
const anotherStore = (url: Redacted.Redacted, store = EventStorePg.layer) =>
  Effect.map(Layer.build(Layer.fresh(store).pipe(Layer.provide(PgClient.layer({ url })))), (context) =>
    Effect.provideContext<EventStore>(context)
  )

const asSuperuser = Effect.gen(function* () {
  const { superuserUrl } = yield* TestDatabase
  const context = yield* Layer.build(Layer.fresh(PgClient.layer({ url: superuserUrl })))
  return Context.get(context, SqlClient.SqlClient)
})

layer(TestStore, { excludeTestServices: true, timeout: "30 seconds" })("EventStorePg in trouble", (it) => {
  it.effect("recognises its own append when the answer was lost after the commit", () =>
    Effect.gen(function* () {
      const { appUrl } = yield* TestDatabase
      const proxy = yield* cuttingProxy(appUrl)
      const there = yield* anotherStore(proxy.url)
      const writers = yield* Effect.all(Array.from({ length: 20 }, () => opened()))
      yield* there(writers[0]!.write())
      let left = 1
      proxy.cutAnswersTo = (request) => request.includes("lost answer") && left-- > 0
      const write = (writer: LogWriter) =>
        verdictOf(there(writer.write({ payloads: [`"lost answer"`], mark: markOf() })))
      const verdicts = yield* Effect.forEach(writers, write, { concurrency: "unbounded" })
      assert.strictEqual(proxy.cuts, 1)
      assert.deepStrictEqual([...new Set(verdicts)], ["good"])
      const store = yield* EventStore
      const versions = yield* store.versions(writers.map(({ streamId }) => streamId))
      assert.deepStrictEqual([...versions.values()].toSorted(), [...Array.from({ length: 19 }, () => 1), 2])
    })
  )

  it.effect("says that it does not know when answers keep being lost, and the next epoch tells", () =>
    Effect.gen(function* () {
      const { appUrl } = yield* TestDatabase
      const store = yield* EventStore
      const proxy = yield* cuttingProxy(appUrl)
      const there = yield* anotherStore(proxy.url)
      const writer = yield* opened()
      yield* there(writer.write())
      proxy.cutAnswersTo = (request) => request.includes("lost for good")
      const mark = markOf()
      const error = yield* Effect.flip(there(writer.write({ payloads: [`"lost for good"`], mark })))
      assert.strictEqual(error._tag, "StoreUnavailable")
      yield* store.claim(writer.streamId)
      assert.deepStrictEqual(yield* store.receipts(writer.streamId, [mark.commandId]), [
        { _tag: "Accepted", commandId: mark.commandId, digest: mark.digest, seq: 2 }
      ])
    })
  )

  it.effect("loses nothing that it acknowledged while its connections are being killed", () =>
    Effect.gen(function* () {
      const superuser = yield* asSuperuser
      const store = yield* EventStore
      const acknowledged = new Map<string, number>()
      const writing = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          () =>
            Effect.gen(function* () {
              const writer = yield* opened()
              for (let i = 0; i < 40; i++) {
                const verdict = yield* verdictOf(writer.write({ mark: markOf() })).pipe(
                  Effect.catchTag("StoreUnavailable", () => Effect.succeed("unknown"))
                )
                if (verdict !== "good")
                  return yield* Effect.asVoid(Effect.sync(() => acknowledged.set(writer.streamId, writer.tail.version)))
                acknowledged.set(writer.streamId, writer.tail.version)
              }
            }),
          { concurrency: "unbounded", discard: true }
        )
      )
      let killed = 0
      while (writing.pollUnsafe() === undefined) {
        const rows = yield* superuser`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE '% log' AND query LIKE '%WITH a AS%' AND state = 'active'`
        killed += rows.length
        yield* Effect.sleep(3)
      }
      yield* Fiber.join(writing)
      assert.isAbove(killed, 0)
      for (const [streamId, version] of acknowledged) {
        const events = yield* store.read(streamId, { after: 0, limit: 1_000 })
        assert.isAtLeast(events.length, version)
        verify(events)
      }
    })
  )

  it.effect("sees what another transaction did to the stream while it waited for its row", () =>
    Effect.gen(function* () {
      const superuser = yield* asSuperuser
      const store = yield* EventStore
      const writer = yield* opened()
      yield* writer.write()
      const mark = markOf()
      const id = toUuid(writer.streamId)!
      const appending = yield* superuser.withTransaction(
        Effect.gen(function* () {
          // A rejection leaves the version as it was: only the row itself tells that something happened.
          yield* superuser`UPDATE heads SET wake_at = 5 WHERE stream_id = ${id}`
          const fiber = yield* Effect.forkDetach(Effect.exit(store.append(writer.plan({ mark }))))
          yield* waitForLock(superuser)
          yield* superuser`INSERT INTO rejections VALUES (${id}, ${toUuid(mark.commandId)!}, ''::bytea, 1, 1, 'no', '')`
          return fiber
        })
      )
      const reason = yield* reasonOf(Effect.flatten(Fiber.join(appending)))
      assert.deepStrictEqual(reason, { _tag: "Duplicate", commandIds: [mark.commandId] })
      assert.lengthOf(yield* store.read(writer.streamId, { after: 0, limit: 10 }), 1)
    })
  )

  it.effect("neither deadlocks with another node nor lets both write", () =>
    Effect.gen(function* () {
      const { appUrl } = yield* TestDatabase
      const superuser = yield* asSuperuser
      const store = yield* EventStore
      const there = yield* anotherStore(appUrl)
      const workspaceId = newWorkspaceId()
      const writers = yield* Effect.all(Array.from({ length: 40 }, () => opened({ workspaceId })))
      for (let round = 0; round < 10; round++) {
        const contest = (writer: LogWriter) =>
          Effect.gen(function* () {
            const [ours, theirs] = [writer.plan(), writer.plan()]
            const verdicts = yield* Effect.all(
              [
                verdictOf(store.append(ours)),
                there(Effect.flatMap(EventStore, (other) => verdictOf(other.append(theirs))))
              ],
              { concurrency: 2 }
            )
            assert.sameMembers(verdicts, ["good", "VersionConflict"])
            writer.advance((verdicts[0] === "good" ? ours : theirs).events)
          })
        const shuffled = writers.toSorted(() => Math.random() - 0.5)
        yield* Effect.forEach(shuffled, contest, { concurrency: "unbounded" })
      }
      const [stats] = yield* superuser<{ readonly deadlocks: number }>`
        SELECT deadlocks::int4 FROM pg_stat_database WHERE datname = current_database()`
      assert.strictEqual(stats!.deadlocks, 0)
      for (const { streamId } of writers) verify(yield* store.read(streamId, { after: 0, limit: 100 }))
    })
  )

  it.effect("says that the database is away, and goes on when it is back", () =>
    Effect.gen(function* () {
      const { appUrl } = yield* TestDatabase
      const proxy = yield* cuttingProxy(appUrl)
      const there = yield* anotherStore(proxy.url)
      const writer = yield* opened()
      proxy.cutAnswersTo = () => true
      const error = yield* Effect.flip(there(writer.write()))
      assert.strictEqual(error._tag, "StoreUnavailable")
      const reading = there(Effect.flatMap(EventStore, (other) => other.head(writer.streamId)))
      assert.strictEqual((yield* Effect.flip(reading))._tag, "StoreUnavailable")
      proxy.cutAnswersTo = null
      yield* there(writer.write({ rejections: [rejectionOf(newCommandId(), 0)] }))
    })
  )

  it.effect("does not wait for ever for a database that says nothing", () =>
    Effect.gen(function* () {
      const { appUrl } = yield* TestDatabase
      const proxy = yield* cuttingProxy(appUrl)
      const there = yield* anotherStore(proxy.url, EventStorePg.layerImpatient("1 second"))
      const writer = yield* opened()
      yield* there(writer.write())
      proxy.silent = true
      const reading = there(Effect.flatMap(EventStore, (other) => other.head(writer.streamId)))
      const errors = yield* Effect.all([Effect.flip(there(writer.write())), Effect.flip(reading)], { concurrency: 2 })
      assert.deepStrictEqual(
        errors.map(({ _tag }) => _tag),
        ["StoreUnavailable", "StoreUnavailable"]
      )
      proxy.silent = false
      yield* Effect.retry(there(writer.write()), { times: 5 })
    })
  )
})

const waitForLock = (superuser: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    for (;;) {
      const waiting = yield* superuser`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      if (waiting.length > 0) return
      yield* Effect.sleep(5)
    }
  })
