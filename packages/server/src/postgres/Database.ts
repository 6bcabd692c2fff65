import * as PgClient from "@effect/sql-pg/PgClient"
import { Config, Context, Effect, Layer, Option, type Redacted } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from "./EmbeddedPostgres.ts"
import type { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { checkExternal, type ExternalDatabaseError } from "./ExternalDatabase.ts"
import type { HomeLock } from "./HomeLock.ts"

type Pool = Omit<PgClient.PgPoolConfig, "url">
type Client = Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError, Database>

/** Where the database is: the embedded one, or the one that `DATABASE_URL` names. */
export class Database extends Context.Service<
  Database,
  {
    readonly kind: "embedded" | "external"
    /** May change the schema. */
    readonly ownerUrl: Redacted.Redacted
    /** What the application connects with; the owner's where there is only one. */
    readonly appUrl: Redacted.Redacted
    /** Whether the roles of their own exist; else the triggers alone protect what is written once. */
    readonly hasRedactor: boolean
  }
>()("server/Database") {
  /** A database that somebody else runs, once it has shown that we can work with it. */
  static readonly layerExternal = (urls: {
    readonly url: Redacted.Redacted
    readonly ownerUrl?: Redacted.Redacted
  }): Layer.Layer<Database, ExternalDatabaseError> =>
    Layer.effect(
      Database,
      Effect.gen(function* () {
        const ownerUrl = urls.ownerUrl ?? urls.url
        if (ownerUrl !== urls.url) yield* checkExternal(urls.url)
        const { hasRedactor } = yield* checkExternal(ownerUrl, { provision: true })
        return Database.of({ kind: "external", appUrl: urls.url, ownerUrl, hasRedactor })
      })
    )

  static readonly layerEmbedded = (options: EmbeddedPostgresOptions = {}) =>
    Layer.effect(
      Database,
      Effect.map(EmbeddedPostgres, ({ appUrl, ownerUrl }) =>
        Database.of({ kind: "embedded", appUrl, ownerUrl, hasRedactor: true })
      )
    ).pipe(Layer.provide(EmbeddedPostgres.layer(options)))

  /** The embedded one of a home that somebody else holds and runs it for. */
  static readonly layerRunning = (home: string): Layer.Layer<Database, EmbeddedPostgresError> =>
    Layer.effect(
      Database,
      Effect.map(EmbeddedPostgres.running(home), ({ appUrl, ownerUrl }) =>
        Database.of({ kind: "embedded", appUrl, ownerUrl, hasRedactor: true })
      )
    )

  /** Embedded, unless `DATABASE_URL` is set. `DATABASE_OWNER_URL` may name another role for migrations. */
  static readonly layer = (options: EmbeddedPostgresOptions = {}) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
        const ownerUrl = yield* Config.option(Config.Redacted("DATABASE_OWNER_URL"))
        const layer: Layer.Layer<Database, EmbeddedPostgresError | ExternalDatabaseError, HomeLock> = Option.isNone(url)
          ? Database.layerEmbedded(options)
          : Database.layerExternal({ url: url.value, ...(Option.isSome(ownerUrl) ? { ownerUrl: ownerUrl.value } : {}) })
        return layer
      })
    )

  /** Connections as the application. */
  static readonly layerApp = (pool: Pool = {}): Client => client((database) => database.appUrl, pool)

  /** Connections as the owner, for migrations. */
  static readonly layerOwner = (pool: Pool = {}): Client =>
    client((database) => database.ownerUrl, { maxConnections: 2, ...pool })
}

const client = (url: (database: Database["Service"]) => Redacted.Redacted, pool: Pool): Client =>
  Layer.unwrap(
    Effect.map(Database, (database) => PgClient.layer({ applicationName: "troupe", ...pool, url: url(database) }))
  )
