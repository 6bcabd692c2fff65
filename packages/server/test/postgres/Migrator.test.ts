import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { migrate, type MigrateOptions } from "../../src/postgres/Migrator.ts"
import { temporaryDirectory } from "../support/EmbeddedHome.ts"
import { writeMigrations } from "../support/migrations.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const empty = TestDatabase.layerOwner({ maxConnections: 8 }).pipe(
  Layer.provideMerge(TestDatabase.layer({ migrations: "none" })),
  Layer.provideMerge(NodeServices.layer),
  Layer.orDie
)

const good = {
  "0001_notes.sql": "CREATE TABLE notes (id int PRIMARY KEY)\n-- ;;\nGRANT SELECT ON notes TO troupe_app",
  "0002_rows.sql": "INSERT INTO notes SELECT generate_series(1, 100)"
}
const third = { "0003_third.sql": "CREATE TABLE third ()" }

const withFiles = (files: Readonly<Record<string, string>>, options: Omit<MigrateOptions, "directory"> = {}) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    writeMigrations(directory, files)
    return yield* migrate({ directory, ...options })
  })

const applied = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly id: number }>`SELECT id FROM troupe_migrations ORDER BY id`
).pipe(Effect.map((rows) => rows.map(({ id }) => id)))

const tables = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql<{ readonly name: string }>`
    SELECT relname AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`
).pipe(Effect.map((rows) => rows.map(({ name }) => name)))

describe("Migrator", { timeout: 60_000 }, () => {
  it.live("applies what is missing, once, as the owner", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* withFiles(good), Object.keys(good))
      assert.deepStrictEqual(yield* withFiles(good), [])
      assert.deepStrictEqual(yield* withFiles({ ...good, ...third }), Object.keys(third))
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql`SELECT tableowner FROM pg_tables WHERE tablename = 'notes'`
      assert.strictEqual(row?.tableowner, "troupe_owner")
      const [record] = yield* sql`SELECT name, length(sha256) AS digits, applied_at FROM troupe_migrations WHERE id = 2`
      assert.deepInclude(record, { name: "rows", digits: 64 })
      assert.instanceOf(record?.applied_at, Date)
    }).pipe(Effect.provide(empty))
  )

  it.live("refuses an applied file that reads differently now", () =>
    Effect.gen(function* () {
      yield* withFiles(good)
      const changed = yield* Effect.flip(withFiles({ ...good, "0001_notes.sql": "SELECT 1", ...third }))
      assert.strictEqual(changed._tag, "MigrationChanged")
      assert.include(changed.message, "0001_notes.sql has changed")
      const renamed = yield* Effect.flip(
        withFiles({ "0001_notes.sql": good["0001_notes.sql"], "0002_other.sql": good["0002_rows.sql"] })
      )
      assert.include(renamed.message, "applied 0002_rows.sql, and the file with this number is now 0002_other.sql")
      assert.deepStrictEqual(yield* applied, [1, 2])
    }).pipe(Effect.provide(empty))
  )

  it.live("refuses a database that a newer release has been in", () =>
    Effect.gen(function* () {
      yield* withFiles({ ...good, ...third })
      const refusal = yield* Effect.flip(withFiles(good))
      assert.deepInclude(refusal, { _tag: "DatabaseNewer", databaseAt: 3, codeAt: 2 })
    }).pipe(Effect.provide(empty))
  )

  it.live("applies nothing of a file that fails, says where, and goes on when it is repaired", () =>
    Effect.gen(function* () {
      const broken = { "0003_third.sql": "CREATE TABLE third ()\n-- ;;\nSELECT nothing" }
      const failure = yield* Effect.flip(withFiles({ ...good, ...broken }))
      assert.deepInclude(failure, { _tag: "MigrationFailed", file: "0003_third.sql", statement: 2 })
      assert.include(failure.message, 'column "nothing" does not exist')
      assert.deepStrictEqual(yield* applied, [1, 2])
      assert.notInclude(yield* tables, "third")
      assert.deepStrictEqual(yield* withFiles({ ...good, ...third }), Object.keys(third))
    }).pipe(Effect.provide(empty))
  )

  it.live("is done by one of several at once, and all succeed", () =>
    Effect.gen(function* () {
      const files = { ...good, "0003_slow.sql": "SELECT pg_sleep(0.1)\n-- ;;\nCREATE TABLE slow ()" }
      const results = yield* Effect.all(
        Array.from({ length: 5 }, () => withFiles(files)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results.flat().sort(), Object.keys(files))
      assert.deepStrictEqual(yield* applied, [1, 2, 3])
    }).pipe(Effect.provide(empty))
  )

  it.live("gives up on a lock after a while, and says what it waited for", () =>
    Effect.gen(function* () {
      yield* withFiles(good)
      const sql = yield* SqlClient.SqlClient
      yield* Effect.gen(function* () {
        yield* sql`LOCK TABLE notes IN ACCESS SHARE MODE`
        const alter = { ...good, "0003_alter.sql": "ALTER TABLE notes ADD COLUMN body text" }
        const failure = yield* Effect.flip(elsewhere(withFiles(alter, { lockTimeoutMs: 100 })))
        assert.deepInclude(failure, { _tag: "MigrationLockTimeout", waitedMs: 100 })
        assert.include(failure.message, "a lock in statement 1 of 0003_alter.sql")
      }).pipe(sql.withTransaction)
      yield* Effect.forkScoped(elsewhere(withFiles({ ...good, "0003_slow.sql": "SELECT pg_sleep(2)" })))
      // Of this database: other suites take such locks in theirs on the same server.
      const held = sql`
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE locktype = 'advisory' AND datname = current_database()`
      while ((yield* held).length === 0) yield* Effect.sleep(10)
      const failure = yield* Effect.flip(withFiles({ ...good, ...third }, { lockTimeoutMs: 100 }))
      assert.include(failure.message, "another migrator of this database")
    }).pipe(Effect.provide(empty))
  )

  it.live("leaves whole files when it is killed anywhere, and the next one completes", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { ownerUrl } = yield* TestDatabase
      const directory = yield* temporaryDirectory
      const files = Object.fromEntries(
        Array.from({ length: 6 }, (_, index) => [
          `000${index + 1}_step.sql`,
          `CREATE TABLE left_${index} ()\n-- ;;\nSELECT pg_sleep(${index === 3 ? 60 : 0.02})\n-- ;;\nCREATE TABLE right_${index} ()`
        ])
      )
      writeMigrations(directory, files)
      const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures/migrate-main.ts"), directory], {
        env: { ...process.env, DATABASE_URL: Redacted.value(ownerUrl) },
        stdio: "inherit"
      })
      while ((yield* sql`SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'`).length === 0) {
        yield* Effect.sleep(10)
      }
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      assert.deepStrictEqual(yield* applied, [1, 2, 3])
      const whole = ["left_0", "left_1", "left_2", "right_0", "right_1", "right_2", "troupe_migrations"]
      assert.deepStrictEqual(yield* tables, whole)

      // The dead one's last statement would run for a minute more; its lock must not.
      const repaired = { ...files, "0004_step.sql": "CREATE TABLE left_3 ()" }
      assert.deepStrictEqual(yield* withFiles(repaired, { lockTimeoutMs: 20_000 }), Object.keys(files).slice(3))
      assert.deepStrictEqual(yield* applied, [1, 2, 3, 4, 5, 6])
    }).pipe(Effect.provide(empty))
  )
})

/** Outside the transaction of the fiber that asks. */
const elsewhere = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const database = yield* TestDatabase
    return yield* Effect.provide(
      effect,
      Layer.orDie(Layer.provide(TestDatabase.layerOwner(), Layer.succeed(TestDatabase, database)))
    )
  })
