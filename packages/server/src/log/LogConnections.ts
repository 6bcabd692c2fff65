import type * as PgClient from "@effect/sql-pg/PgClient"
import * as PgPool from "@effect/sql-pg/PgPool"
import { type Duration, Effect } from "effect"
import { SqlError, StatementTimeoutError } from "effect/sql/SqlError"
import { logTypes } from "./LogTypes.ts"

/** Plans that hold for any size of the tables, made once for each connection. */
const pinned = { plan_cache_mode: "force_generic_plan", enable_seqscan: "off", jit: "off" }

const silence = (within: Duration.Input): SqlError =>
  new SqlError({
    reason: new StatementTimeoutError({
      cause: new Error("no answer"),
      message: `The database gave no answer within ${String(within)}`,
      operation: "query"
    })
  })

/** A statement and its parameters to rows of columns. */
export type Query = (
  sql: string,
  parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError>

/**
 * The log has connections of its own. No slow query elsewhere keeps an append waiting, and their few statements, which
 * go through an index or are wrong, have their plans pinned. Left alone, Postgres keeps the plan that it made while the
 * tables were new and small; and until a table is analysed for the first time, it reads all that follows in a
 * stream, and sorts it, to answer one page.
 *
 * `within`: the server ends a statement by itself after a while, but a server that is cut off says nothing for a quarter
 * of an hour. Whoever waits for it then is told that it is not known what happened.
 */
export const make = Effect.fnUntraced(function* (
  config: PgClient.PgClientConfig,
  options: { readonly appendsInFlight: number; readonly within: Duration.Input }
) {
  const { appendsInFlight, within } = options
  const query = Effect.fnUntraced(function* (maxConnections: number, settings: Readonly<Record<string, string>>) {
    const pool = yield* PgPool.make({
      ...config,
      types: logTypes,
      applicationName: `${config.applicationName ?? "troupe"} log`,
      maxConnections,
      idleTimeout: "10 minutes",
      startupParameters: { ...config.startupParameters, ...pinned, ...settings }
    })
    const query: Query = (sql, parameters) =>
      pool
        .use((connection) => connection.queryValues(sql, parameters))
        .pipe(Effect.timeoutOrElse({ duration: within, orElse: () => Effect.fail(silence(within)) }))
    return query
  })
  return {
    // Parts of the append statement are joined by hashing: nested loops would be quadratic in the batch.
    appends: yield* query(appendsInFlight, { enable_nestloop: "off" }),
    reads: yield* query(4, { enable_bitmapscan: "off", enable_sort: "off" })
  }
})
