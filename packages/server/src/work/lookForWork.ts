import { type EnvironmentId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Minting } from "../log/Minting.ts"

const atOnceMax = 100

/**
 * Queues the sessions of an environment that need a worker and have none: new ones, and those where something goes on or is
 * owed. It follows from what sessions say of themselves, so nothing that crashed has to be made up for.
 */
export const lookForWork = Effect.fn("lookForWork")(function* (workspaceId: WorkspaceId, environmentId: EnvironmentId) {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting
  const found = yield* sql<{ readonly sessionId: string }>`
    SELECT s.session_id AS "sessionId" FROM sessions s
    WHERE s.environment_id = ${toUuid(environmentId)!} AND s.workspace_id = ${toUuid(workspaceId)!}
      AND s.deleted_at IS NULL AND s.archived_at IS NULL AND s.status <> 'terminated'
      AND (s.status <> 'idle' OR s.open_requests > 0
        OR (s.created_at > extract(epoch FROM now() - interval '1 day') * 1000
          AND NOT EXISTS (SELECT FROM work w WHERE w.session_id = s.session_id)))
      AND NOT EXISTS (
        SELECT FROM work w WHERE w.session_id = s.session_id AND NOT (w.state = 'stopped' AND w.settled))
    ORDER BY s.created_at LIMIT ${atOnceMax}`
  const now = yield* Clock.currentTimeMillis
  for (const { sessionId } of found) {
    const workId = toUuid(minting.id("Work", now))!
    yield* sql`
      INSERT INTO work (work_id, workspace_id, environment_id, session_id)
      VALUES (${workId}, ${toUuid(workspaceId)!}, ${toUuid(environmentId)!}, ${sessionId})
      ON CONFLICT DO NOTHING`
  }
})
