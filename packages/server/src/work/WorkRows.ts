import type { Work, WorkState } from "@troupe/domain/api/Work"
import { EnvironmentId, fromUuid, prefixes, SessionId, WorkId } from "@troupe/domain/Ids"

/** Work as it is kept. Times are RFC 3339, to the microsecond: a heartbeat is known again by its own. */
export interface WorkRow {
  readonly workId: string
  readonly environmentId: string
  readonly sessionId: string
  readonly state: WorkState
  readonly settled: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: string
  readonly createdMs: number
  readonly acknowledgedAt: string | null
  readonly startedAt: string | null
  readonly heartbeatAt: string | null
  readonly heartbeatBefore: string | null
  readonly ttlSeconds: number
  readonly holder: string | null
  readonly stopRequestedAt: string | null
  readonly stoppedAt: string | null
}

const moment = (column: string, name: string) =>
  `to_char(w.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "${name}"`

export const columns = `
  w.work_id AS "workId", w.environment_id AS "environmentId",
  w.session_id AS "sessionId", w.state, w.settled, w.metadata, w.ttl_seconds AS "ttlSeconds", w.holder,
  (extract(epoch FROM w.created_at) * 1000)::float8 AS "createdMs",
  ${moment("created_at", "createdAt")}, ${moment("acknowledged_at", "acknowledgedAt")},
  ${moment("started_at", "startedAt")}, ${moment("heartbeat_at", "heartbeatAt")},
  ${moment("heartbeat_before", "heartbeatBefore")}, ${moment("stop_requested_at", "stopRequestedAt")},
  ${moment("stopped_at", "stoppedAt")}`

export const sessionOf = (row: Pick<WorkRow, "sessionId">): SessionId =>
  SessionId.make(fromUuid(prefixes.Session, row.sessionId))
export const workIdOf = (row: Pick<WorkRow, "workId">): WorkId => WorkId.make(fromUuid(prefixes.Work, row.workId))

/** Work as clients see it; with its secret where it was just polled. */
export const workOut = (row: WorkRow, secret: string | null = null): Work => ({
  id: workIdOf(row),
  type: "work",
  environment_id: EnvironmentId.make(fromUuid(prefixes.Environment, row.environmentId)),
  data: { type: "session", id: sessionOf(row) },
  state: row.state,
  metadata: row.metadata,
  secret,
  created_at: row.createdAt,
  acknowledged_at: row.acknowledgedAt,
  started_at: row.startedAt,
  latest_heartbeat_at: row.heartbeatAt,
  stop_requested_at: row.stopRequestedAt,
  stopped_at: row.stoppedAt
})
