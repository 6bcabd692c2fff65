import { system } from "@troupe/domain/Actor"
import { CommandId, toUuid } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Minting } from "../log/Minting.ts"
import { Sessions } from "../session/Sessions.ts"
import { sessionOf, workIdOf, type WorkRow } from "./WorkRows.ts"

type Unsettled = Pick<WorkRow, "workId" | "sessionId">

/** What ended with a claim, told to its session: an ended session has nothing to hear. */
const tell = Effect.fnUntraced(function* (row: Unsettled) {
  const sessions = yield* Sessions
  const { id, salt } = yield* Minting
  const at = yield* Clock.currentTimeMillis
  const commandId = CommandId.make(id("Command", at))
  const command = { commandId, at, actor: system, correlationId: salt(), body: { _tag: "LoseWorker" } } as const
  yield* Effect.catchTag(sessions.handle(sessionOf(row), command), "CommandRejected", () => Effect.void)
})

/**
 * Tells the session of a claim that is over, and gives it free. One node at a time does so: a word that came late would be
 * taken for one about the next claim. The lock is no row's, so that nobody who reads the log waits for this.
 */
const settle = Effect.fnUntraced(function* (row: Unsettled) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const [lock] = yield* sql<{ readonly mine: boolean }>`
        SELECT pg_try_advisory_xact_lock(hashtextextended(${row.workId}, 0)) AS mine`
      if (lock?.mine !== true) return
      const open = yield* sql`SELECT FROM work WHERE work_id = ${row.workId} AND NOT settled`
      if (open.length === 0) return
      yield* tell(row)
      yield* sql`UPDATE work SET settled = true WHERE work_id = ${row.workId}`
    })
  )
})

/** Settles what is over: of one environment, or everywhere. What can't be told now is told later. */
export const settleClaims = Effect.fn("settleClaims")(function* (environmentId: string | null) {
  const sql = yield* SqlClient.SqlClient
  const of = environmentId === null ? sql`true` : sql`environment_id = ${toUuid(environmentId)!}`
  const rows = yield* sql<Unsettled>`
    SELECT work_id AS "workId", session_id AS "sessionId" FROM work WHERE NOT settled AND ${of} LIMIT 100`
  yield* Effect.forEach(
    rows,
    (row) =>
      settle(row).pipe(
        Effect.catchCause((cause) => Effect.logWarning(`The claim of ${workIdOf(row)} is not settled yet`, cause))
      ),
    { discard: true, concurrency: 4 }
  )
})

/** Ends the claims whose workers were not heard of, and those of sessions that are over. Nothing is told of it yet. */
export const endClaims = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    UPDATE work SET
      state = CASE WHEN state = 'stopping' THEN 'stopped' ELSE 'queued' END,
      stopped_at = CASE WHEN state = 'stopping' THEN now() END,
      settled = false, holder = NULL, polled_at = NULL, acknowledged_at = NULL, started_at = NULL, lease_until = NULL,
      heartbeat_at = NULL, heartbeat_before = NULL
    WHERE state IN ('starting', 'active', 'stopping') AND lease_until < now()`
  yield* sql`
    UPDATE work w SET state = 'stopped', stopped_at = now()
    FROM sessions s
    WHERE w.state = 'queued' AND s.session_id = w.session_id
      AND (s.archived_at IS NOT NULL OR s.deleted_at IS NOT NULL OR s.status = 'terminated')`
})
