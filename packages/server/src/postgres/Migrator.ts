import { Effect, type FileSystem, type Path, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { fileName, type Migration, type MigrationFilesInvalid, readMigrations } from "./MigrationFiles.ts"

/** A file that the database has applied reads differently now. */
export class MigrationChanged extends Schema.TaggedError<MigrationChanged>()("MigrationChanged", {
  applied: Schema.String,
  present: Schema.String
}) {
  override get message(): string {
    return this.applied === this.present
      ? `${this.present} has changed since this database applied it. Restore it, and put the change in a new file`
      : `This database applied ${this.applied}, and the file with this number is now ${this.present}`
  }
}

export class DatabaseNewer extends Schema.TaggedError<DatabaseNewer>()("DatabaseNewer", {
  databaseAt: Schema.Int,
  codeAt: Schema.Int
}) {
  override get message(): string {
    return (
      `The database is at migration ${this.databaseAt} and this release knows ${this.codeAt}. ` +
      "A newer release has been here: start that one"
    )
  }
}

export class MigrationLockTimeout extends Schema.TaggedError<MigrationLockTimeout>()("MigrationLockTimeout", {
  waitedMs: Schema.Int,
  waitingFor: Schema.String
}) {
  override get message(): string {
    return `Gave up after waiting ${this.waitedMs} ms for ${this.waitingFor}`
  }
}

export class MigrationFailed extends Schema.TaggedError<MigrationFailed>()("MigrationFailed", {
  file: Schema.String,
  statement: Schema.Int,
  detail: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Statement ${this.statement} of ${this.file} failed, and nothing of the file was applied: ${this.detail}`
  }
}

/** The database could not be asked. */
export class MigrationUnavailable extends Schema.TaggedError<MigrationUnavailable>()("MigrationUnavailable", {
  detail: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot migrate the database: ${this.detail}`
  }
}

export type MigrationError =
  | MigrationFilesInvalid
  | MigrationChanged
  | DatabaseNewer
  | MigrationLockTimeout
  | MigrationFailed
  | MigrationUnavailable

export interface MigrateOptions {
  readonly directory: string
  /** How long to wait for another migrator, and for the locks of a statement. */
  readonly lockTimeoutMs?: number
}

/**
 * Brings the database, connected to as its owner, to the last migration; answers the files it applied.
 *
 * Each file runs in one transaction that also records it, so a migrator killed anywhere leaves whole files only. The
 * advisory lock belongs to that transaction too: it ends with it, and the state is read again under it, so of two
 * migrators one applies a file and the other sees that it is done.
 */
export const migrate = Effect.fn("Migrator.migrate")(function* (
  options: MigrateOptions
): Effect.fn.Return<ReadonlyArray<string>, MigrationError, SqlClient.SqlClient | FileSystem.FileSystem | Path.Path> {
  const migrations = yield* readMigrations(options.directory)
  const lockTimeoutMs = options.lockTimeoutMs ?? 30_000
  const done: Array<string> = []
  if (yield* isCurrent(migrations)) return done
  for (const migration of migrations) {
    if (yield* applyIfMissing(migrations, migration, lockTimeoutMs)) done.push(fileName(migration))
  }
  return done
})

/** Without a lock: what is recorded stays recorded. Refuses a database that does not fit, before anything is done to it. */
const isCurrent = Effect.fnUntraced(function* (migrations: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  const [table] = yield* sql<{ readonly found: boolean }>`
    SELECT to_regclass('troupe_migrations') IS NOT NULL AS found`.pipe(Effect.mapError(unavailable))
  if (table?.found !== true) return false
  return (yield* readApplied(migrations)) === migrations.length
})

/** The number of the last applied migration, after comparing all of them with the files. */
const readApplied = Effect.fnUntraced(function* (migrations: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly id: number; readonly name: string; readonly sha256: string }>`
    SELECT id, name, sha256 FROM troupe_migrations ORDER BY id`.pipe(Effect.mapError(unavailable))
  const last = rows.at(-1)?.id ?? 0
  if (last > migrations.length) return yield* new DatabaseNewer({ databaseAt: last, codeAt: migrations.length })
  for (const row of rows) {
    const migration = migrations[row.id - 1]
    if (migration === undefined || migration.sha256 !== row.sha256 || migration.name !== row.name) {
      return yield* new MigrationChanged({
        applied: fileName(row),
        present: migration === undefined ? "missing" : fileName(migration)
      })
    }
  }
  return last
})

const applyIfMissing = Effect.fnUntraced(function* (
  migrations: ReadonlyArray<Migration>,
  migration: Migration,
  lockTimeoutMs: number
) {
  const sql = yield* SqlClient.SqlClient
  const run = (statement: string) => sql.unsafe(statement).unprepared
  return yield* Effect.gen(function* () {
    yield* prepareTransaction(lockTimeoutMs)
    if ((yield* readApplied(migrations)) >= migration.id) return false
    for (const [index, statement] of migration.statements.entries()) {
      yield* run(statement).pipe(Effect.mapError(explain(migration, index + 1, lockTimeoutMs)))
    }
    const { id, name, sha256 } = migration
    yield* sql`INSERT INTO troupe_migrations (id, name, sha256) VALUES (${id}, ${name}, ${sha256})`.pipe(
      Effect.mapError(explain(migration, migration.statements.length, lockTimeoutMs))
    )
    return true
  }).pipe(
    sql.withTransaction,
    Effect.catchTag("SqlError", (error) => Effect.fail(unavailable(error)))
  )
})

// One number for all of Troupe: "troupe" in ASCII.
const migratorLock = 0x74726f757065

const prepareTransaction = Effect.fnUntraced(
  function* (lockTimeoutMs: number) {
    const sql = yield* SqlClient.SqlClient
    yield* sql`SELECT
      set_config('lock_timeout', ${String(lockTimeoutMs)}, true),
      -- A killed migrator must not hold the lock until its statement, perhaps a long one, is through.
      set_config('client_connection_check_interval', '500', true),
      set_config('statement_timeout', '0', true)`
    yield* sql`SELECT pg_advisory_xact_lock(${migratorLock})`
    yield* sql`CREATE TABLE IF NOT EXISTS troupe_migrations (
      id integer PRIMARY KEY,
      name text NOT NULL,
      sha256 text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`
  },
  (effect, lockTimeoutMs) =>
    Effect.mapError(effect, (error) =>
      isLockTimeout(error)
        ? new MigrationLockTimeout({ waitedMs: lockTimeoutMs, waitingFor: "another migrator of this database" })
        : unavailable(error)
    )
)

const explain = (migration: Migration, statement: number, lockTimeoutMs: number) => (error: SqlError) => {
  const file = fileName(migration)
  return isLockTimeout(error)
    ? new MigrationLockTimeout({ waitedMs: lockTimeoutMs, waitingFor: `a lock in statement ${statement} of ${file}` })
    : new MigrationFailed({ file, statement, detail: describe(error), cause: error })
}

const isLockTimeout = (error: SqlError): boolean => error.reason._tag === "LockTimeoutError"

export const unavailable = (error: SqlError) => new MigrationUnavailable({ detail: describe(error), cause: error })

/** What Postgres said, which the reason keeps as its cause. */
const describe = ({ reason }: SqlError): string =>
  reason.cause instanceof Error ? reason.cause.message : (reason.message ?? reason._tag)
