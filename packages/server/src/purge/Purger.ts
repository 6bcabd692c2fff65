import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { sweepBlobs, sweepLater } from "./BlobSweep.ts"

const everyMs = 60_000
const atOnce = 50

/**
 * Removes sessions that were deleted before a moment, log and all, through the one function of the database that may: what
 * is left of each is where its log stood, in the record of redactions. Answers how many there were.
 */
export const purge = Effect.fn("Purger.purge")(function* (before: number) {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  let purged = 0
  while (true) {
    const rows = yield* sql<{ readonly id: string; readonly workspace: string }>`
      SELECT session_id AS id, workspace_id AS workspace FROM sessions WHERE deleted_at < ${before} ORDER BY deleted_at LIMIT ${atOnce}`
    for (const { id, workspace } of rows) {
      // Before the session goes: nobody would remember to afterwards.
      yield* sweepLater(workspace, now)
      yield* sql`SELECT troupe_purge_stream(${id}, 'deleted, and kept for as long as is configured', 'system')`
      purged++
    }
    if (rows.length < atOnce) return purged
  }
})

/** For as long as the node runs. Nodes that purge the same session do it once. */
export const purging = (keepDeletedMs: number) =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => Effect.andThen(purge(now - keepDeletedMs), sweepBlobs(now))),
    Effect.catchCause((cause) => Effect.logWarning("Deleted sessions could not be purged", cause)),
    Effect.delay(everyMs),
    Effect.forever
  )
