import * as NodeServices from "@effect/platform-node/NodeServices"
import * as PgClient from "@effect/sql-pg/PgClient"
import { PostgreSqlContainer } from "@testcontainers/postgresql"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { join } from "node:path"
import { checkExternal } from "../../src/postgres/ExternalDatabase.ts"
import { migrate } from "../../src/postgres/Migrator.ts"

const migrations = join(import.meta.dirname, "../../../../migrations")

/** `docker/build-base.sh postgres` makes it, so it is never pulled. */
const image = "troupe-postgres:15"

// It ends containers of processes that were killed, but is an image that only a registry has.
process.env.TESTCONTAINERS_RYUK_DISABLED = "true"

const url: Effect.Effect<Redacted.Redacted, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() =>
    new PostgreSqlContainer(image)
      .withLabels({ "dev.troupe.role": "test" })
      .withTmpFs({ "/var/lib/postgresql": "rw" })
      .withCommand(["postgres", "-c", "fsync=off", "-c", "full_page_writes=off"])
      .start()
  ),
  (container) => Effect.promise(() => container.stop({ remove: true, removeVolumes: true }))
).pipe(Effect.map((container) => Redacted.make(container.getConnectionUri())))

/** A Postgres of the oldest release we support, migrated as one that is named by `DATABASE_URL`. */
export const layerPostgresContainer = Layer.unwrap(
  Effect.gen(function* () {
    const address = yield* url
    yield* checkExternal(address, { provision: true })
    const client = PgClient.layer({ url: address })
    yield* migrate({ directory: migrations }).pipe(Effect.provide([client, NodeServices.layer]))
    return client
  })
)
