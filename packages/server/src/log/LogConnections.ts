import type * as PgClient from "@effect/sql-pg/PgClient"
import * as PgPool from "@effect/sql-pg/PgPool"
import { Effect } from "effect"
import { logTypes } from "./LogTypes.ts"

/** Plans that hold for any size of the tables, made once for each connection. */
const pinned = { plan_cache_mode: "force_generic_plan", enable_seqscan: "off", jit: "off" }

/**
 * The log has connections of its own. No slow query elsewhere keeps an append waiting, and their few statements, which
 * go through an index or are wrong, have their plans pinned. Left alone, Postgres keeps the plan that it made while the
 * tables were new and small; and until a table is analysed for the first time, it reads all that follows in a
 * stream, and sorts it, to answer one page.
 */
export const make = Effect.fnUntraced(function* (config: PgClient.PgClientConfig, appendsInFlight: number) {
  const pool = (maxConnections: number, settings: Readonly<Record<string, string>>) =>
    PgPool.make({
      ...config,
      types: logTypes,
      applicationName: `${config.applicationName ?? "troupe"} log`,
      maxConnections,
      idleTimeout: "10 minutes",
      startupParameters: { ...config.startupParameters, ...pinned, ...settings }
    })
  return {
    // Parts of the append statement are joined by hashing: nested loops would be quadratic in the batch.
    appends: yield* pool(appendsInFlight, { enable_nestloop: "off" }),
    reads: yield* pool(4, { enable_bitmapscan: "off", enable_sort: "off" })
  }
})
