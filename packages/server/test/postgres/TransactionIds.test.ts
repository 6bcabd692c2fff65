import { assert, layer } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { beginning, type Cursor, EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import * as TransactionIds from "../../src/postgres/TransactionIds.ts"
import { opened } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestStore = EventStorePg.layer.pipe(
  Layer.provide(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layerOwner()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

/** As it is in a server that has seen less: what was written keeps its order, far ahead. */
const restored = Effect.gen(function* () {
  const { superuserUrl } = yield* TestDatabase
  const connection = yield* PgConnection.make({ url: superuserUrl, prepare: false })
  const ahead = "pg_snapshot_xmax(pg_current_snapshot())::text::int8 + 60000"
  for (const statement of [
    "ALTER TABLE events DISABLE TRIGGER events_written_once",
    `UPDATE events SET xid = (${ahead} + seq)::text::xid8`,
    "ALTER TABLE events ENABLE ALWAYS TRIGGER events_written_once"
  ]) {
    yield* connection.query(statement)
  }
}).pipe(Effect.scoped)

/** What a reader of all logs gets until there is as much. Other databases on this server may hold the horizon for a moment. */
const readUntil = Effect.fnUntraced(function* (count: number, from: Cursor = beginning) {
  const store = yield* EventStore
  while (true) {
    const page = yield* store.readAll({ after: from, limit: 100 })
    if (page.length >= count) return page
    yield* Effect.sleep(20)
  }
})

layer(TestStore, { excludeTestServices: true, timeout: "60 seconds" })("a log that was restored from a dump", (it) => {
  it.effect("is read from where it was, and what comes then comes after it", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      for (let i = 0; i < 3; i++) yield* writer.write()
      yield* readUntil(3)
      assert.strictEqual(yield* TransactionIds.catchUp(), 0, "nothing is amiss with a server of its own")
      yield* restored
      assert.deepStrictEqual(yield* store.readAll({ after: beginning, limit: 100 }), [])
      const read = { xid: "0", position: "0" }
      yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) =>
          sql`
          INSERT INTO projections (name, version, xid, position, live)
          SELECT 'restored', 1, xid, position, true FROM events WHERE seq = 2`
      )

      assert.isAbove(yield* TransactionIds.catchUp(), 0)
      assert.strictEqual(yield* TransactionIds.catchUp(), 0)
      yield* writer.write()
      const all = yield* readUntil(4, read)
      assert.deepStrictEqual(
        all.map(({ event }) => event.seq),
        [1, 2, 3, 4]
      )
      // Read tables go on behind what they had taken.
      const [at] = yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql<Cursor>`SELECT xid::text, position::text FROM projections WHERE name = 'restored'`
      )
      assert.deepStrictEqual(
        (yield* readUntil(2, at)).map(({ event }) => event.seq),
        [3, 4]
      )
    })
  )
})
