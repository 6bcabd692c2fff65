import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { Database } from "../../src/postgres/Database.ts"
import { HomeLock } from "../../src/postgres/HomeLock.ts"
import { temporaryDirectory } from "../support/EmbeddedHome.ts"
import { pgBouncer } from "../support/PgBouncer.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const empty = TestDatabase.layer({ migrations: "none" })

const open = (url: Redacted.Redacted) => Effect.scoped(Layer.build(Database.layerExternal({ url })))

const whoAmI = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly name: string }>`SELECT current_user AS name`
).pipe(Effect.map(([row]) => row?.name))

const configured = (environment: Readonly<Record<string, string>>, home: string) =>
  Database.layer().pipe(
    Layer.provide(HomeLock.layer(home)),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: environment })))
  )

describe("Database", { timeout: 60_000 }, () => {
  it.live("is embedded by default, with a role for migrations and one for the application", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const context = yield* Layer.build(configured({}, home))
      assert.strictEqual((yield* Database.pipe(Effect.provideContext(context))).kind, "embedded")
      const owner = whoAmI.pipe(Effect.provide(Database.layerOwner()), Effect.provideContext(context))
      const app = whoAmI.pipe(Effect.provide(Database.layerApp()), Effect.provideContext(context))
      assert.strictEqual(yield* owner, "troupe_owner")
      assert.strictEqual(yield* app, "troupe_app")

      const settings = Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql`SELECT name, setting FROM pg_settings
            WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')
            ORDER BY name`.pipe(Effect.map((rows) => rows.map(({ setting }) => setting)))
      )
      assert.deepStrictEqual(
        yield* settings.pipe(Effect.provide(Database.layerApp()), Effect.provideContext(context)),
        ["5000", "30000", "60000"]
      )
      assert.deepStrictEqual(
        yield* settings.pipe(Effect.provide(Database.layerOwner()), Effect.provideContext(context)),
        ["300000", "0", "0"]
      )
    })
  )

  it.live("is the one that DATABASE_URL names, and then starts nothing", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const { appUrl, ownerUrl } = yield* TestDatabase
      const one = yield* Layer.build(configured({ DATABASE_URL: Redacted.value(ownerUrl) }, home))
      const single = yield* Database.pipe(Effect.provideContext(one))
      assert.deepInclude(single, { kind: "external", hasRedactor: true })
      assert.strictEqual(Redacted.value(single.appUrl), Redacted.value(single.ownerUrl))

      const environment = { DATABASE_URL: Redacted.value(appUrl), DATABASE_OWNER_URL: Redacted.value(ownerUrl) }
      const two = yield* Layer.build(configured(environment, join(home, "other")))
      assert.strictEqual(
        yield* whoAmI.pipe(Effect.provide(Database.layerApp()), Effect.provideContext(two)),
        "troupe_app"
      )
      const owner = whoAmI.pipe(Effect.provide(Database.layerOwner()), Effect.provideContext(two))
      assert.strictEqual(yield* owner, "troupe_owner")
    }).pipe(Effect.provide(empty))
  )

  it.live("says what is wrong with a DATABASE_URL, without its password", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const wrong = new URL(Redacted.value(ownerUrl))
      wrong.password = "not-the-password"
      const refused = yield* Effect.flip(open(Redacted.make(wrong.href)))
      assert.include(refused.message, "Cannot connect to DATABASE_URL: password authentication failed")
      assert.notInclude(JSON.stringify(refused), "not-the-password")
      const nobody = yield* Effect.flip(open(Redacted.make("postgres://user:secret@127.0.0.1:9/db")))
      assert.include(nobody.message, "ECONNREFUSED")
      assert.notInclude(JSON.stringify(nobody), "secret")
    }).pipe(Effect.provide(empty))
  )
})

requires("pgbouncer")("Database behind a pooler", () => {
  it.live("refuses a pooler in transaction mode, however it deals its servers out", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      for (const size of [1, 2, 3, 10]) {
        for (const round of [0, 1]) {
          const settings = { pool_mode: "transaction", default_pool_size: size, server_round_robin: round }
          const url = yield* pgBouncer(ownerUrl, settings)
          const refusal = yield* Effect.flip(open(url))
          assert.strictEqual(refusal.reason._tag, "TransactionPooler", `${size} servers, round robin ${round}`)
        }
      }
    }).pipe(Effect.scoped, Effect.provide(empty))
  )

  it.live("accepts a pooler in session mode", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      yield* open(yield* pgBouncer(ownerUrl, { pool_mode: "session" }))
    }).pipe(Effect.scoped, Effect.provide(empty))
  )
})
