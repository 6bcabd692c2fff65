import type { SessionSummary } from "@troupe/domain/api/Feed"
import { timeOf } from "@troupe/domain/api/Page"
import { fromUuid, prefixes, SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Cursor } from "../log/EventStore.ts"
import { type Change, changeOf, changeTags, readTags } from "./changes.ts"

export interface PlacedChange {
  readonly cursor: Cursor
  readonly workspace: string
  readonly change: Change
}

export interface ChangePage {
  readonly changes: ReadonlyArray<PlacedChange>
  /** How far was looked, and at how many events. */
  readonly cursor: Cursor
  readonly looked: number
}

/** Where readers of all logs begin who want nothing of what was. */
export const present = Effect.fn("present")(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly xid: string }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid`
  return { xid: row!.xid, position: "0" } satisfies Cursor
})

interface Row {
  readonly xid: string
  readonly position: string
  readonly stream: string
  readonly workspace: string
  readonly type: string
  readonly version: number
  readonly wanted: boolean
  readonly payload: string | null
}

/** What comes after a place in the order of all logs, of all workspaces; below the horizon, so that nothing is passed by. */
export const changesAfter = Effect.fn("changesAfter")(function* (after: Cursor, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`
    SELECT e.xid::text AS xid, e.position::text AS position, e.stream_id AS stream, e.workspace_id AS workspace, e.type,
      e.version, e.type = ANY(${[...changeTags]}::text[]) AS wanted,
      CASE WHEN e.type = ANY(${[...readTags]}::text[]) THEN e.payload::text END AS payload
    FROM events e
    WHERE (e.xid, e.position) > (${after.xid}::xid8, ${after.position}::int8)
      AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid, e.position LIMIT ${sql.literal(String(limit))}`
  const changes = rows.flatMap(
    ({ position, stream, wanted, workspace, xid, ...event }): ReadonlyArray<PlacedChange> => {
      const change = wanted ? changeOf(fromUuid(prefixes.Session, stream), event) : null
      return change === null ? [] : [{ cursor: { xid, position }, workspace, change }]
    }
  )
  const last = rows.at(-1)
  return {
    changes,
    cursor: last === undefined ? after : { xid: last.xid, position: last.position },
    looked: rows.length
  } satisfies ChangePage
})

interface Summary {
  readonly id: string
  readonly status: string
  readonly reason: string | null
  readonly title: string | null
  readonly agent: string
  readonly open: number
  readonly turns: number
  readonly tokens: number
  readonly cost: number | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
}

const summaryOut = (row: Summary): SessionSummary => ({
  id: SessionId.make(fromUuid(prefixes.Session, row.id)),
  type: "session_summary",
  status: row.status,
  stop_reason: row.reason,
  title: row.title,
  agent_id: fromUuid(prefixes.Agent, row.agent),
  open_requests: row.open,
  turns: row.turns,
  tokens: row.tokens,
  cost_micro_usd: row.cost,
  created_at: timeOf(row.createdAt),
  updated_at: timeOf(row.updatedAt),
  archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
})

/** What lists show of these sessions now. */
export const summariesOf = Effect.fn("summariesOf")(function* (
  workspaceId: WorkspaceId,
  sessionIds: ReadonlyArray<string>
) {
  const sql = yield* SqlClient.SqlClient
  if (sessionIds.length === 0) return new Map<string, SessionSummary>()
  const rows = yield* sql<Summary>`
    SELECT session_id AS id, status, status_reason AS reason, title, agent_id AS agent, open_requests AS open, turns,
      tokens::float8 AS tokens, cost_micro_usd::float8 AS cost, created_at::float8 AS "createdAt",
      updated_at::float8 AS "updatedAt", archived_at::float8 AS "archivedAt"
    FROM sessions
    WHERE session_id = ANY(${sessionIds.map((id) => toUuid(id)!)}::uuid[]) AND workspace_id = ${toUuid(workspaceId)!}
      AND deleted_at IS NULL`
  return new Map(rows.map((row) => [fromUuid(prefixes.Session, row.id), summaryOut(row)]))
})
