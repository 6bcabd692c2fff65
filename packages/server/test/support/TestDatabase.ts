import * as NodeServices from "@effect/platform-node/NodeServices"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Clock, Context, Effect, Layer, Redacted, Schema, type Scope } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { readMigrations } from "../../src/postgres/MigrationFiles.ts"
import { migrate } from "../../src/postgres/Migrator.ts"

const root = join(import.meta.dirname, "../../../..")

export interface TestDatabaseOptions {
  /** The migrations to start from; the product's unless named, none for `"none"`. */
  readonly migrations?: string
  /** Writes to disk like the real thing, for benches. Tests use a server that does not wait for the disk. */
  readonly durable?: boolean
}

/**
 * A fresh, migrated database of one's own, in milliseconds.
 *
 * All tests share one embedded Postgres, which the first of them starts and nobody stops: it stays warm for the next
 * run (`node_modules/.cache/troupe-test-pg`; `embedded-main.ts --home … --stop` ends it). Migrations run once, into a
 * template named after their content, and each test suite gets a copy that is dropped with its scope. Roles belong to
 * the server and are the product's own: `troupe_owner`, `troupe_app`, `troupe_redactor`.
 *
 *     layer(TestDatabase.layerApp().pipe(Layer.provide(TestDatabase.layer())))("EventStorePg", (it) => …)
 */
export class TestDatabase extends Context.Service<
  TestDatabase,
  {
    readonly name: string
    readonly ownerUrl: Redacted.Redacted
    readonly appUrl: Redacted.Redacted
    readonly superuserUrl: Redacted.Redacted
  }
>()("test/TestDatabase") {
  static readonly make = (
    options: TestDatabaseOptions = {}
  ): Effect.Effect<TestDatabase["Service"], never, Scope.Scope> => make(options)

  static readonly layer = (options: TestDatabaseOptions = {}): Layer.Layer<TestDatabase> =>
    Layer.effect(TestDatabase, make(options))

  /** A client as the application, which may do what the migrations grant. */
  static readonly layerApp = (pool: Pool = {}): Client => client((database) => database.appUrl, pool)

  /** A client as the owner of the tables. */
  static readonly layerOwner = (pool: Pool = {}): Client => client((database) => database.ownerUrl, pool)
}

type Pool = Omit<PgClient.PgPoolConfig, "url">
type Client = Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError, TestDatabase>

const client = (url: (database: TestDatabase["Service"]) => Redacted.Redacted, pool: Pool): Client =>
  Layer.unwrap(Effect.map(TestDatabase, (database) => PgClient.layer({ ...pool, url: url(database) })))

// Databases are made in real time, also below a TestClock.
const live = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Clock.Clock, Clock.Clock.defaultValue())

const make = (options: TestDatabaseOptions) =>
  Effect.gen(function* () {
    const server = yield* warmServer(options.durable ?? false)
    const template = yield* templateOf(server, options.migrations ?? join(root, "migrations"))
    const name = `test_${Date.now()}_${randomBytes(4).toString("hex")}`
    yield* Effect.acquireRelease(
      administer(server, `CREATE DATABASE ${name} OWNER troupe_owner TEMPLATE ${template}`),
      () => live(Effect.orDie(administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)))
    )
    return TestDatabase.of({
      name,
      ownerUrl: url(server, "troupe_owner", name),
      appUrl: url(server, "troupe_app", name),
      superuserUrl: url(server, "postgres", name)
    })
  }).pipe(live, Effect.orDie)

const Started = Schema.fromJsonString(
  Schema.Struct({
    port: Schema.Int,
    socketDir: Schema.String,
    passwordFiles: Schema.Struct({ superuser: Schema.String, owner: Schema.String, app: Schema.String })
  })
)

interface Server {
  readonly port: number
  readonly socketDir: string
  readonly passwords: Readonly<Record<string, string>>
}

const servers = new Map<boolean, Server>()

/** The running server if it answers, else a started one: by one process of several, the others find it running. */
const warmServer = Effect.fnUntraced(function* (durable: boolean) {
  const known = servers.get(durable)
  if (known !== undefined) return known
  const home = join(root, "node_modules/.cache", durable ? "troupe-bench-pg" : "troupe-test-pg")
  const record = join(home, "server.json")
  if (existsSync(record)) {
    const server = yield* Effect.option(readServer(record))
    if (server._tag === "Some" && (yield* answers(server.value))) {
      servers.set(durable, server.value)
      return server.value
    }
  }
  mkdirSync(home, { recursive: true })
  const main = join(root, "packages/server/src/postgres/embedded-main.ts")
  const settings = durable ? [] : ["--set", "fsync=off", "--set", "full_page_writes=off"]
  const { stdout } = yield* Effect.promise(() =>
    promisify(execFile)(process.execPath, [main, "--home", home, "--keep", "--wait-ms", "60000", ...settings])
  )
  const own = `${record}.${process.pid}`
  writeFileSync(own, stdout, { mode: 0o600 })
  renameSync(own, record)
  const server = yield* readServer(record)
  yield* dropAbandoned(server)
  servers.set(durable, server)
  return server
})

const readServer = (record: string) =>
  Effect.try((): Server => {
    const { passwordFiles, port, socketDir } = Schema.decodeSync(Started)(readFileSync(record, "utf8"))
    const read = (file: string) => readFileSync(file, "utf8").trim()
    const passwords = {
      postgres: read(passwordFiles.superuser),
      troupe_owner: read(passwordFiles.owner),
      troupe_app: read(passwordFiles.app)
    }
    return { port, socketDir, passwords }
  })

const url = ({ passwords, port, socketDir }: Server, user: string, database: string) =>
  Redacted.make(
    `postgres://${user}:${passwords[user]}@127.0.0.1:${port}/${database}?host=${encodeURIComponent(socketDir)}`
  )

const superuser = (server: Server) => PgConnection.make({ url: url(server, "postgres", "postgres"), prepare: false })

const administer = (server: Server, statement: string) =>
  Effect.scoped(Effect.flatMap(superuser(server), (connection) => connection.query(statement)))

const answers = (server: Server) =>
  administer(server, "SELECT 1").pipe(
    Effect.as(true),
    Effect.catch(() => Effect.succeed(false))
  )

const templateOf = Effect.fnUntraced(function* (server: Server, directory: string) {
  const none = directory === "none" || !existsSync(directory)
  const migrations = none ? [] : yield* readMigrations(directory).pipe(Effect.provide(NodeServices.layer))
  if (migrations.length === 0) return "template1"
  const content = createHash("sha256").update(JSON.stringify(migrations)).digest("hex").slice(0, 24)
  const name = `template_${content}`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* superuser(server)
      const exists = Effect.map(
        connection.query("SELECT FROM pg_database WHERE datname = $1", [name]),
        ({ rowCount }) => rowCount > 0
      )
      if (yield* exists) return
      // Held by the session, so it goes with us if we are killed; the half-made template is then begun anew.
      yield* connection.query("SELECT pg_advisory_lock(hashtext('template'))")
      if (yield* exists) return
      const building = `${name}_building`
      yield* connection.query(`DROP DATABASE IF EXISTS ${building} WITH (FORCE)`)
      yield* connection.query(`CREATE DATABASE ${building} OWNER troupe_owner`)
      yield* migrate({ directory }).pipe(
        Effect.provide([PgClient.layer({ url: url(server, "troupe_owner", building) }), NodeServices.layer])
      )
      yield* connection.query(`ALTER DATABASE ${building} ALLOW_CONNECTIONS false`)
      // The migrator's connection may take a moment to go; only then can the name change.
      yield* connection.query(`ALTER DATABASE ${building} RENAME TO ${name}`).pipe(
        Effect.tapError(() => Effect.sleep(20)),
        Effect.retry({ times: 100 })
      )
    })
  )
  return name
})

const abandonedAfterMs = 60 * 60 * 1000

/** Databases of test runs that were killed, and templates of migrations that nobody used for long. */
const dropAbandoned = Effect.fnUntraced(function* (server: Server) {
  const before = Date.now() - abandonedAfterMs
  const { rows } = yield* Effect.scoped(
    Effect.flatMap(superuser(server), (connection) =>
      connection.query("SELECT datname AS name FROM pg_database WHERE datname LIKE 'test\\_%'")
    )
  )
  for (const { name } of rows) {
    if (Number(String(name).split("_")[1]) < before)
      yield* administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
})
