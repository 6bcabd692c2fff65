import * as PgTypes from "@effect/sql-pg/PgTypes"
import type { AppendRows } from "./AppendRows.ts"
import { arrayParameter } from "./LogTypes.ts"

/** Protections that tests switch off, one at a time, to see that the judge of the promises notices. */
export interface Protections {
  readonly fencing: boolean
  readonly duplicates: boolean
  readonly horizon: boolean
}

export const protectedFully: Protections = { fencing: true, duplicates: true, horizon: true }

/** Element types of the parameters, in their order; the number is the place of the first in the statement. */
const { bytea, int4, int8, text, uuid } = PgTypes.OID
const headTypes = [uuid, uuid, int4, int4, int4, bytea, int8, int8]
const commandTypes = [int4, uuid, uuid]
const eventTypes = [
  int4,
  int4,
  uuid,
  text,
  int4,
  text,
  uuid,
  uuid,
  uuid,
  int8,
  bytea,
  bytea,
  bytea,
  uuid,
  bytea,
  text,
  text
]
const rejectionTypes = [int4, uuid, bytea, int4, int8, text, text]
const sessionTypes = [int4, text]
const types = [headTypes, commandTypes, eventTypes, rejectionTypes, sessionTypes]

const names = new Map<number, string>([
  [bytea, "bytea"],
  [int4, "int4"],
  [int8, "int8"],
  [text, "text"],
  [uuid, "uuid"]
])

const unnest = (group: number): string => {
  const first = types.slice(0, group).flat().length
  return `unnest(${types[group]!.map((oid, index) => `$${first + index + 1}::${names.get(oid)!}[]`).join(", ")})`
}

export const outcomes = { fenced: 1, version: 2, duplicate: 3, raced: 4, noStream: 5 } as const

const sessionColumns = [
  "workspace_id",
  "status",
  "status_reason",
  "title",
  "agent_id",
  "agent_version",
  "environment_id",
  "project_id",
  "parent_id",
  "deployment_id",
  "origin",
  "created_by",
  "end_user",
  "visibility",
  "external_thread_key",
  "labels",
  "metadata",
  "cost_micro_usd",
  "tokens",
  "turns",
  "open_requests",
  "created_at",
  "updated_at",
  "archived_at",
  "deleted_at"
]

/**
 * One statement appends to many streams, each wholly or not at all, and answers only for those it refused.
 *
 * Why it is safe. All parts of a statement read the database as it was when the statement began (its snapshot), except
 * the row lock: `locked` waits for whoever holds a head row and then sees the newest one. Every append updates its
 * stream's head row, so as long as the row we locked is the row the snapshot saw (`xmin` is the same), all appends
 * to that stream had committed before the snapshot, and what the snapshot says about duplicates is the whole truth.
 * If it is another row, we `raced` and know nothing: the append is sent again, with a newer snapshot.
 *
 * Head rows are locked in the order of their ids, by everyone, so two batches never wait for each other in a circle.
 */
export const appendStatement = ({ duplicates, fencing }: Protections): string => `
WITH a AS MATERIALIZED (
  SELECT * FROM ${unnest(0)} WITH ORDINALITY
    AS t(stream_id, workspace_id, epoch, expected, added, chain, last_recorded_at, wake_at, i)
), seen AS MATERIALIZED (
  SELECT stream_id, xmin AS row_xid FROM heads WHERE stream_id = ANY($1::uuid[])
), locked AS MATERIALIZED (
  SELECT stream_id, workspace_id, kind, version, epoch, chain, xmin AS row_xid
  FROM heads WHERE stream_id = ANY($1::uuid[])
  ORDER BY stream_id
  FOR NO KEY UPDATE
), duplicate AS MATERIALIZED (
  SELECT c.i, array_agg(c.command_id) AS command_ids
  FROM ${unnest(1)} AS c(i, stream_id, command_id), LATERAL (
    SELECT FROM events e WHERE e.stream_id = c.stream_id AND e.command_id = c.command_id
    UNION ALL
    SELECT FROM rejections r WHERE r.stream_id = c.stream_id AND r.command_id = c.command_id
    LIMIT 1
  ) known
  ${duplicates ? "" : "WHERE false"}
  GROUP BY c.i
), verdict AS MATERIALIZED (
  SELECT a.*, l.kind, l.version AS at_version, l.epoch AS at_epoch, l.chain AS at_chain, d.command_ids,
    CASE
      WHEN l.workspace_id IS DISTINCT FROM a.workspace_id THEN ${outcomes.noStream}
      ${fencing ? `WHEN l.epoch <> a.epoch THEN ${outcomes.fenced}` : ""}
      WHEN l.version <> a.expected THEN ${outcomes.version}
      WHEN l.row_xid IS DISTINCT FROM s.row_xid THEN ${outcomes.raced}
      WHEN d.i IS NOT NULL THEN ${outcomes.duplicate}
      ELSE 0
    END AS outcome
  FROM a
    LEFT JOIN locked l ON l.stream_id = a.stream_id
    LEFT JOIN seen s ON s.stream_id = a.stream_id
    LEFT JOIN duplicate d ON d.i = a.i
), good AS MATERIALIZED (
  SELECT * FROM verdict WHERE outcome = 0
), stored_events AS (
  INSERT INTO events (stream_id, kind, workspace_id, epoch, seq, event_id, type, version, actor, causation_id,
    correlation_id, thread_id, recorded_at, salt, commitment, chain, command_id, command_digest, command_body, payload)
  SELECT g.stream_id, g.kind, g.workspace_id, g.epoch, e.seq, e.event_id, e.type, e.version, e.actor, e.causation_id,
    e.correlation_id, e.thread_id, e.recorded_at, e.salt, e.commitment, e.chain, e.command_id, e.command_digest,
    e.command_body, e.payload::json
  FROM ${unnest(2)} WITH ORDINALITY
    AS e(i, seq, event_id, type, version, actor, causation_id, correlation_id, thread_id, recorded_at, salt,
      commitment, chain, command_id, command_digest, command_body, payload, n)
    JOIN good g ON g.i = e.i
  ORDER BY e.n
), stored_rejections AS (
  INSERT INTO rejections (stream_id, command_id, digest, version, recorded_at, reason, body)
  SELECT g.stream_id, r.command_id, r.digest, r.version, r.recorded_at, r.reason, r.body
  FROM ${unnest(3)} AS r(i, command_id, digest, version, recorded_at, reason, body) JOIN good g ON g.i = r.i
), stored_heads AS (
  UPDATE heads h SET
    version = g.expected + g.added,
    chain = coalesce(g.chain, h.chain),
    last_recorded_at = coalesce(g.last_recorded_at, h.last_recorded_at),
    wake_at = g.wake_at
  FROM good g WHERE h.stream_id = g.stream_id AND h.stream_id = ANY($1::uuid[])
), stored_sessions AS (
  INSERT INTO sessions (session_id, ${sessionColumns.join(", ")})
  SELECT row.session_id, ${sessionColumns.map((column) => `row.${column}`).join(", ")}
  FROM ${unnest(4)} AS s(i, json) JOIN good g ON g.i = s.i,
    jsonb_populate_record(NULL::sessions, s.json::jsonb) AS row
  ON CONFLICT (session_id) DO UPDATE SET
    ${sessionColumns.map((column) => `${column} = excluded.${column}`).join(", ")}
)
SELECT i::int4, outcome, at_epoch, at_version, at_chain, command_ids FROM verdict WHERE outcome <> 0`

const parameters = types.map((group) => group.map(arrayParameter))

/** The statement's parameters: one array for each column. */
export const appendParameters = (batch: ReadonlyArray<AppendRows>): ReadonlyArray<PgTypes.Parameter> => {
  const [heads, commands, events, rejections, sessions] = types.map((group) => group.map((): Array<unknown> => []))
  const push = (columns: Array<Array<unknown>>, from: number, row: ReadonlyArray<unknown>) => {
    for (let c = 0; c < row.length; c++) columns[from + c]!.push(row[c])
  }
  for (let index = 0; index < batch.length; index++) {
    const rows = batch[index]!
    const i = index + 1
    push(heads!, 0, rows.head)
    for (const commandId of rows.commandIds) {
      commands![0]!.push(i)
      commands![1]!.push(rows.head[0])
      commands![2]!.push(commandId)
    }
    for (const row of rows.events) {
      events![0]!.push(i)
      push(events!, 1, row)
    }
    for (const row of rows.rejections) {
      rejections![0]!.push(i)
      push(rejections!, 1, row)
    }
    if (rows.session !== null) {
      sessions![0]!.push(i)
      sessions![1]!.push(rows.session)
    }
  }
  return [heads!, commands!, events!, rejections!, sessions!].flatMap((columns, group) =>
    columns.map((values, c) => parameters[group]![c]!(values))
  )
}
