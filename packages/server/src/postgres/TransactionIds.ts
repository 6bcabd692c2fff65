import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { unavailable } from "./Migrator.ts"

/** One statement takes so many: seconds, on a slow machine. */
const atOnce = 50_000

/** How many transactions this server lacks for what its log says were there. */
const behind = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly ids: number }>`
    SELECT coalesce(greatest(
      (SELECT xid FROM events ORDER BY xid DESC, position DESC LIMIT 1),
      (SELECT xid FROM projections ORDER BY xid DESC LIMIT 1)
    )::text::float8 - pg_snapshot_xmax(pg_current_snapshot())::text::float8 + 1, 0) AS ids`
  return row!.ids
})

/**
 * Readers of all logs go by the numbers of transactions, and a dump that is restored into another server brings those of
 * the old one along. Until the new server has come as far, what was restored would count as not yet committed, and what is
 * written meanwhile would come before it, where nobody looks any more. So it is brought there first, by transactions that
 * do nothing. Answers how many there were: none, but for the first start after a restore.
 */
export const catchUp = Effect.fn("TransactionIds.catchUp")(function* () {
  const sql = yield* SqlClient.SqlClient
  let used = 0
  for (let left = yield* behind; left > 0; left = yield* behind) {
    yield* Effect.logInfo(
      `The log was restored from another server: ${left} transactions until this one has come as far`
    )
    const count = Math.min(left, atOnce)
    yield* sql.unsafe(`DO $$ BEGIN FOR i IN 1..${count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`)
      .unprepared
    used += count
  }
  return used
}, Effect.mapError(unavailable))
