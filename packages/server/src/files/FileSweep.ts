import { fromUuid, prefixes, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Contents } from "./Contents.ts"

/** How long an expired file is still known to have been there. */
const expiredMs = 24 * 3_600_000
/** What is on its way to be a file, or to be a session's, has become it by then. */
const graceMs = 3_600_000
const everyMs = 60_000
const atOnce = 100

/** Files that have expired, and those of sessions that are deleted or never came to be. */
const dropFiles = Effect.fnUntraced(function* (now: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM files WHERE expires_at < ${now - expiredMs}`
  yield* sql`
    DELETE FROM files f USING sessions s WHERE s.session_id = f.session_id AND s.deleted_at IS NOT NULL`
  yield* sql`
    DELETE FROM files f WHERE f.session_id IS NOT NULL AND f.created_at < ${now - graceMs}
      AND NOT EXISTS (SELECT FROM sessions s WHERE s.session_id = f.session_id)`
})

/** One that no file needs any more. Its row is held until it is gone, so that nobody makes a file of it meanwhile. */
const dropContent = Effect.fnUntraced(function* (now: number) {
  const sql = yield* SqlClient.SqlClient
  const contents = yield* Contents
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const [row] = yield* sql<{ readonly workspace: string; readonly sha256: Uint8Array }>`
        SELECT workspace_id AS workspace, sha256 FROM file_contents c
        WHERE wanted_at < ${now - graceMs}
          AND NOT EXISTS (SELECT FROM files f WHERE f.workspace_id = c.workspace_id AND f.sha256 = c.sha256)
        ORDER BY wanted_at LIMIT 1 FOR UPDATE SKIP LOCKED`
      if (row === undefined) return false
      const workspaceId = WorkspaceId.make(fromUuid(prefixes.Workspace, row.workspace))
      yield* contents.remove(workspaceId, Buffer.from(row.sha256).toString("hex"))
      yield* sql`DELETE FROM file_contents WHERE workspace_id = ${row.workspace} AND sha256 = ${row.sha256}`
      return true
    })
  )
})

/** Removes what is needed no more, as of a moment. */
export const sweep = Effect.fn("FileSweep.sweep")(function* (now: number) {
  yield* dropFiles(now)
  for (let n = 0; n < atOnce; n++) if (!(yield* dropContent(now))) return
})

/** For as long as the node runs. Nodes that sweep together take different rows. */
export const sweeping = Effect.flatMap(Clock.currentTimeMillis, sweep).pipe(
  Effect.catchCause((cause) => Effect.logWarning("Files that nobody needs could not be removed", cause)),
  Effect.delay(everyMs),
  Effect.forever
)
