import { assert, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid } from "@troupe/domain/Ids"
import { Effect, Exit, Fiber, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import * as Projector from "../../src/log/Projector.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { minting, newCommandId, newWorkspaceId, opened } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** Counts the events of each stream, and notes their order. */
const counting = (
  version = 1,
  hooks: { readonly before?: Effect.Effect<void> } = {}
): Projector.Projection<SqlClient.SqlClient> => ({
  name: "counting",
  version,
  apply: (events, generation) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const { event } of events) {
        yield* sql`
          INSERT INTO counting AS c VALUES (${generation}, ${toUuid(event.streamId)!}, 1, ${[event.seq]})
          ON CONFLICT (generation, stream_id) DO UPDATE SET events = c.events + 1, seqs = c.seqs || excluded.seqs`
      }
      yield* hooks.before ?? Effect.void
    }),
  retire: (generation) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const gone = yield* sql`
        DELETE FROM counting WHERE ctid = ANY (ARRAY(SELECT ctid FROM counting WHERE generation = ${generation} LIMIT 5))
        RETURNING 1`
      return gone.length > 0
    })
})

const makeTable = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE counting (
      generation integer, stream_id uuid, events integer, seqs integer[], PRIMARY KEY (generation, stream_id)
    )`
    yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON counting TO troupe_app`
  })
).pipe(Layer.provide(TestDatabase.layerOwner()))

const TestProjector = Layer.mergeAll(WorkspaceLog.layer, EventStorePg.layer).pipe(
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp({ maxConnections: 30 })),
  Layer.provideMerge(makeTable),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

interface Row {
  readonly generation: number
  readonly events: number
  readonly seqs: ReadonlyArray<number>
}

const rowsOf = (streamId: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<Row>`
    SELECT generation, events, seqs FROM counting WHERE stream_id = ${toUuid(streamId)!} ORDER BY generation`
  )

/** Waits until all that was committed by now is below the horizon: other databases on this server may hold it. */
const settled = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [now] = yield* sql<{ readonly xid: string }>`SELECT pg_current_xact_id()::text AS xid`
  const above = sql`SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > ${now!.xid}::xid8`
  while ((yield* above).length === 0) yield* Effect.sleep(5)
})

const catchUp = (projection: Projector.Projection<SqlClient.SqlClient>, limit?: number) =>
  Effect.gen(function* () {
    yield* settled
    while ((yield* Projector.step(projection, limit))._tag !== "CaughtUp") yield* Effect.yieldNow
  })

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

layer(TestProjector, { excludeTestServices: true, timeout: "30 seconds" })("Projector", (it) => {
  it.effect("takes each event once and in order, from 16 writers of which some commit late", () =>
    Effect.gen(function* () {
      const log = yield* WorkspaceLog
      const sql = yield* PgClient.PgClient
      const projecting = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3], () => Projector.run(counting(), { idle: "1 millis", elsewhere: "2 millis" }), {
          concurrency: "unbounded"
        })
      )
      const session = Effect.gen(function* () {
        const writer = yield* opened()
        for (let i = 0; i < 25; i++) yield* writer.write({ payloads: ["1", "2"] })
        return writer.streamId
      })
      // Takes its numbers, dawdles, and commits after many others who took theirs later.
      const late = Effect.gen(function* () {
        const workspaceId = newWorkspaceId()
        const facts = [{ type: "Late", version: 1, threadId: null, payload: "1" }]
        for (let i = 0; i < 10; i++) {
          const cause = { causationId: newCommandId(), correlationId: minting.salt(), actorText: "{}", at: Date.now() }
          yield* sql.withTransaction(
            log.append({ workspaceId, cause, facts }).pipe(Effect.andThen(Effect.sleep(Math.random() * 40)))
          )
        }
        return workspaceId
      })
      const writers = [...Array.from({ length: 10 }, () => session), ...Array.from({ length: 6 }, () => late)]
      const streams = yield* Effect.all(writers, { concurrency: "unbounded" })
      yield* Fiber.interrupt(projecting)
      yield* catchUp(counting())
      for (const [index, streamId] of streams.entries()) {
        const seqs = numbers(index < 10 ? 50 : 10)
        assert.deepStrictEqual(yield* rowsOf(streamId), [{ generation: 1, events: seqs.length, seqs }])
      }
    })
  )

  it.effect("takes again what it was killed over, and nothing twice", () =>
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient
      const writer = yield* opened()
      for (let i = 0; i < 20; i++) yield* writer.write()
      let steps = 0
      // Once by interruption, once by the end of its connection, in the middle of a step.
      const interrupted = counting(1, {
        before: Effect.suspend(() => (++steps === 2 ? Effect.interrupt : Effect.void))
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(catchUp(interrupted, 7))))
      const killed = counting(1, {
        before: Effect.orDie(Effect.asVoid(sql`SELECT pg_terminate_backend(pg_backend_pid())`))
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(catchUp(killed, 7))))
      yield* catchUp(counting(), 7)
      assert.deepStrictEqual(yield* rowsOf(writer.streamId), [{ generation: 1, events: 20, seqs: numbers(20) }])
    })
  )

  it.effect("leaves out what can't be taken, and stands still for none of it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { apply, retire } = counting()
      // Some events break our code and some the database, wherever they stand on a page.
      const bad = new Map<number, "code" | "database">([
        [1, "code"],
        [6, "database"],
        [7, "code"],
        [20, "database"]
      ])
      const picky: Projector.Projection<SqlClient.SqlClient> = {
        name: "picky",
        version: 9,
        retire,
        apply: (events, generation) =>
          Effect.gen(function* () {
            for (const { event } of events) {
              const kind = event.streamId === writer.streamId ? bad.get(event.seq) : undefined
              if (kind === "code") throw new TypeError("it has no such field")
              if (kind === "database") yield* sql`INSERT INTO counting VALUES ('x'::text::int)`
            }
            yield* apply(events, generation)
          })
      }
      const writer = yield* opened()
      for (let i = 0; i < 20; i++) yield* writer.write()
      yield* catchUp(picky, 7)
      const seqs = numbers(20).filter((seq) => !bad.has(seq))
      assert.deepStrictEqual(yield* rowsOf(writer.streamId), [{ generation: 9, events: seqs.length, seqs }])
    })
  )

  it.effect("is done by one at a time", () =>
    Effect.gen(function* () {
      const writer = yield* opened()
      yield* catchUp(counting())
      for (let i = 0; i < 5; i++) yield* writer.write()
      yield* settled
      const slow = counting(1, { before: Effect.sleep(100) })
      const both = yield* Effect.all([Projector.step(slow), Projector.step(slow)], { concurrency: "unbounded" })
      assert.sameMembers(
        both.map(({ _tag }) => _tag),
        ["Moved", "Elsewhere"]
      )
    })
  )

  it.effect("rebuilds beside what is read, and switches when it has caught up", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* EventStore
      const writer = yield* opened()
      for (let i = 0; i < 12; i++) yield* writer.write()
      const live = Effect.map(
        sql<{ readonly version: number }>`SELECT version FROM projections WHERE name = 'counting' AND live`,
        (rows) => rows.map(({ version }) => version)
      )
      yield* catchUp(counting(1))
      assert.deepStrictEqual(yield* live, [1])
      yield* settled
      yield* Projector.step(counting(2), 5)
      assert.deepStrictEqual(yield* live, [1])
      yield* writer.write()
      yield* Effect.all([catchUp(counting(1), 5), catchUp(counting(2), 50)], { concurrency: 2 })
      assert.deepStrictEqual(yield* live, [2])
      const seqs = numbers(13)
      assert.deepStrictEqual(yield* rowsOf(writer.streamId), [
        { generation: 1, events: 13, seqs },
        { generation: 2, events: 13, seqs }
      ])
      // The older release goes on filling its own, and takes nothing back.
      yield* writer.write()
      yield* catchUp(counting(1))
      assert.deepStrictEqual(yield* live, [2])
      yield* Projector.retire(counting(2), 60_000)
      assert.lengthOf(yield* rowsOf(writer.streamId), 2)
      yield* Projector.retire(counting(2), 0)
      assert.deepStrictEqual(
        (yield* rowsOf(writer.streamId)).map(({ generation }) => generation),
        [2]
      )
      assert.strictEqual((yield* Projector.step(counting(1)))._tag, "Superseded")
      assert.strictEqual((yield* store.versions([writer.streamId])).get(writer.streamId), 14)
      // Near the end of the log is enough: where it is always written to, nobody is ever at its end.
      assert.strictEqual((yield* Projector.step(counting(3), 5_000))._tag, "Moved")
      assert.deepStrictEqual(yield* live, [3])
    })
  )
})
