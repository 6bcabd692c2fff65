import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, type Redacted, Schema, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { provisionExternal } from "./Roles.ts"

const Reason = Schema.TaggedUnion({
  Unavailable: { detail: Schema.String },
  TooOld: { version: Schema.String },
  TransactionPooler: {}
})

/** Why the database of `DATABASE_URL` cannot be used. */
export class ExternalDatabaseError extends Schema.TaggedError<ExternalDatabaseError>()("ExternalDatabaseError", {
  reason: Reason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return Reason.match(this.reason, {
      Unavailable: ({ detail }) => `Cannot connect to DATABASE_URL: ${detail}`,
      TooOld: ({ version }) => `DATABASE_URL is Postgres ${version}, and Troupe needs 15 or newer`,
      TransactionPooler: () =>
        "DATABASE_URL leads to a connection pooler in transaction mode, where advisory locks and LISTEN do not work. " +
        "Give the address of the server itself, or of a pool in session mode"
    })
  }
}

const oldestVersion = 150_000

/**
 * Connects, and refuses a server that is too old or is shared transaction by transaction. As the owner it also makes
 * the roles, where it may.
 */
export const checkExternal = Effect.fn("ExternalDatabase.check")(function* (
  url: Redacted.Redacted,
  options: { readonly provision?: boolean } = {}
): Effect.fn.Return<{ readonly hasRedactor: boolean }, ExternalDatabaseError> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const sessions = yield* Effect.all([session(url), session(url), session(url)])
      const {
        rows: [row]
      } = yield* sessions[0].query("SELECT current_setting('server_version_num')::int AS number, version()")
      if (Number(row?.number) < oldestVersion) {
        return yield* new ExternalDatabaseError({
          reason: { _tag: "TooOld", version: /\d+(\.\d+)?/.exec(String(row?.version))?.[0] ?? String(row?.number) }
        })
      }
      if (!(yield* haveServersOfTheirOwn(sessions))) {
        return yield* new ExternalDatabaseError({ reason: { _tag: "TransactionPooler" } })
      }
      if (options.provision !== true) return { hasRedactor: false }
      return { hasRedactor: (yield* provisionExternal(sessions[0])).redactor }
    })
  ).pipe(
    Effect.catchTag("SqlError", (error) =>
      Effect.fail(new ExternalDatabaseError({ reason: { _tag: "Unavailable", detail: describe(error) }, cause: error }))
    )
  )
})

const session = (url: Redacted.Redacted): Effect.Effect<PgConnection.PgConnection, SqlError, Scope.Scope> =>
  PgConnection.make({ url, applicationName: "troupe-check", prepare: false })

/**
 * A pooler in transaction mode looks right while it is idle: it lends a client the same server again and again. So three
 * clients ask in turn, and again while each in turn sits in a transaction and keeps its server from the others. With a
 * server of one's own its process never changes and is nobody else's; two clients that meet on one, a client that
 * moves, or one that has to wait for another's transaction give the pooler away.
 */
const haveServersOfTheirOwn = Effect.fnUntraced(function* (sessions: ReadonlyArray<PgConnection.PgConnection>) {
  const servers: Array<unknown> = []
  for (const each of sessions) servers.push(yield* serverOf(each))
  if (new Set(servers).size < sessions.length) return false
  for (const holder of sessions) {
    yield* holder.query("BEGIN")
    const now: Array<unknown> = []
    for (const each of sessions) {
      now.push(yield* Effect.timeoutOrElse(serverOf(each), { duration: 3_000, orElse: () => Effect.succeed("waits") }))
    }
    yield* holder.query("ROLLBACK")
    if (now.some((server, index) => server !== servers[index])) return false
  }
  return true
})

const serverOf = (connection: PgConnection.PgConnection) =>
  Effect.map(connection.query("SELECT pg_backend_pid() AS pid"), ({ rows: [row] }) => row?.pid)

const describe = ({ reason }: SqlError): string =>
  reason.cause instanceof Error ? reason.cause.message : (reason.message ?? reason._tag)
