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
const inputTypes = [int4, uuid, uuid]
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

/** The parameters' groups, in their order. */
const groups = {
  heads: headTypes,
  commands: commandTypes,
  inputs: inputTypes,
  events: eventTypes,
  rejections: rejectionTypes,
  sessions: sessionTypes
}
type Group = keyof typeof groups
const order = Object.keys(groups) as ReadonlyArray<Group>

type Parts = ReadonlySet<Group>
/** A statement costs by its parts, used or not, so a batch goes without those that it does not need. */
const optional: Parts = new Set(["commands", "inputs", "rejections", "sessions"])

const names = new Map<number, string>([
  [bytea, "bytea"],
  [int4, "int4"],
  [int8, "int8"],
  [text, "text"],
  [uuid, "uuid"]
])

/** A group's parameters as rows; those of the groups that are there are numbered through. */
const unnest = (parts: Parts, group: Group): string => {
  const first = order
    .slice(0, order.indexOf(group))
    .reduce((sum, before) => sum + (parts.has(before) ? groups[before].length : 0), 0)
  return `unnest(${groups[group].map((oid, index) => `$${first + index + 1}::${names.get(oid)!}[]`).join(", ")})`
}

export const outcomes = { fenced: 1, version: 2, duplicate: 3, raced: 4, noStream: 5, inputTaken: 6 } as const

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
const statement = ({ duplicates, fencing }: Protections, parts: Parts): string => `
WITH a AS MATERIALIZED (
  SELECT * FROM ${unnest(parts, "heads")} WITH ORDINALITY
    AS t(stream_id, workspace_id, epoch, expected, added, chain, last_recorded_at, wake_at, i)
), seen AS MATERIALIZED (
  SELECT stream_id, xmin AS row_xid FROM heads WHERE stream_id = ANY($1::uuid[])
), locked AS MATERIALIZED (
  SELECT stream_id, workspace_id, kind, version, epoch, chain, xmin AS row_xid
  FROM heads WHERE stream_id = ANY($1::uuid[])
  ORDER BY stream_id
  FOR NO KEY UPDATE
), ${
  parts.has("commands")
    ? `duplicate AS MATERIALIZED (
  SELECT c.i, array_agg(c.command_id) AS command_ids
  FROM ${unnest(parts, "commands")} AS c(i, stream_id, command_id), LATERAL (
    SELECT FROM events e WHERE e.stream_id = c.stream_id AND e.command_id = c.command_id
    UNION ALL
    SELECT FROM rejections r WHERE r.stream_id = c.stream_id AND r.command_id = c.command_id
    LIMIT 1
  ) known
  ${duplicates ? "" : "WHERE false"}
  GROUP BY c.i
), `
    : ""
}${
  parts.has("inputs")
    ? `input AS MATERIALIZED (
  SELECT * FROM ${unnest(parts, "inputs")} AS t(i, stream_id, input_id)
), taken AS MATERIALIZED (
  SELECT n.i, array_agg(n.input_id) AS input_ids
  FROM input n, LATERAL (
    SELECT FROM inputs k WHERE k.stream_id = n.stream_id AND k.input_id = n.input_id LIMIT 1
  ) known
  ${duplicates ? "" : "WHERE false"}
  GROUP BY n.i
), `
    : ""
}verdict AS MATERIALIZED (
  SELECT a.*, l.kind, l.version AS at_version, l.epoch AS at_epoch, l.chain AS at_chain,
    ${parts.has("commands") ? "d.command_ids" : "NULL::uuid[] AS command_ids"},
    ${parts.has("inputs") ? "k.input_ids" : "NULL::uuid[] AS input_ids"},
    CASE
      WHEN l.workspace_id IS DISTINCT FROM a.workspace_id THEN ${outcomes.noStream}
      ${fencing ? `WHEN l.epoch <> a.epoch THEN ${outcomes.fenced}` : ""}
      WHEN l.version <> a.expected THEN ${outcomes.version}
      WHEN l.row_xid IS DISTINCT FROM s.row_xid THEN ${outcomes.raced}
      ${parts.has("commands") ? `WHEN d.i IS NOT NULL THEN ${outcomes.duplicate}` : ""}
      ${parts.has("inputs") ? `WHEN k.i IS NOT NULL THEN ${outcomes.inputTaken}` : ""}
      ELSE 0
    END AS outcome
  FROM a
    LEFT JOIN locked l ON l.stream_id = a.stream_id
    LEFT JOIN seen s ON s.stream_id = a.stream_id
    ${parts.has("commands") ? "LEFT JOIN duplicate d ON d.i = a.i" : ""}
    ${parts.has("inputs") ? "LEFT JOIN taken k ON k.i = a.i" : ""}
), good AS MATERIALIZED (
  SELECT * FROM verdict WHERE outcome = 0
), stored_events AS (
  INSERT INTO events (stream_id, kind, workspace_id, epoch, seq, event_id, type, version, actor, causation_id,
    correlation_id, thread_id, recorded_at, salt, commitment, chain, command_id, command_digest, command_body, payload)
  SELECT g.stream_id, g.kind, g.workspace_id, g.epoch, e.seq, e.event_id, e.type, e.version, e.actor, e.causation_id,
    e.correlation_id, e.thread_id, e.recorded_at, e.salt, e.commitment, e.chain, e.command_id, e.command_digest,
    e.command_body, e.payload::json
  FROM ${unnest(parts, "events")} WITH ORDINALITY
    AS e(i, seq, event_id, type, version, actor, causation_id, correlation_id, thread_id, recorded_at, salt,
      commitment, chain, command_id, command_digest, command_body, payload, n)
    JOIN good g ON g.i = e.i
  ORDER BY e.n
), ${
  parts.has("rejections")
    ? `stored_rejections AS (
  INSERT INTO rejections (stream_id, command_id, digest, version, recorded_at, reason, body)
  SELECT g.stream_id, r.command_id, r.digest, r.version, r.recorded_at, r.reason, r.body
  FROM ${unnest(parts, "rejections")} AS r(i, command_id, digest, version, recorded_at, reason, body)
    JOIN good g ON g.i = r.i
), `
    : ""
}${
  parts.has("inputs")
    ? `stored_inputs AS (
  INSERT INTO inputs (stream_id, input_id)
  SELECT n.stream_id, n.input_id FROM input n JOIN good g ON g.i = n.i
  ${duplicates ? "" : "ON CONFLICT DO NOTHING"}
), `
    : ""
}stored_heads AS (
  UPDATE heads h SET
    version = g.expected + g.added,
    chain = coalesce(g.chain, h.chain),
    last_recorded_at = coalesce(g.last_recorded_at, h.last_recorded_at),
    wake_at = g.wake_at
  FROM good g WHERE h.stream_id = g.stream_id AND h.stream_id = ANY($1::uuid[])
)${
  parts.has("sessions")
    ? `, stored_sessions AS (
  INSERT INTO sessions (session_id, ${sessionColumns.join(", ")})
  SELECT row.session_id, ${sessionColumns.map((column) => `row.${column}`).join(", ")}
  FROM ${unnest(parts, "sessions")} AS s(i, json) JOIN good g ON g.i = s.i,
    jsonb_populate_record(NULL::sessions, s.json::jsonb) AS row
  ON CONFLICT (session_id) DO UPDATE SET
    ${sessionColumns.map((column) => `${column} = excluded.${column}`).join(", ")}
)`
    : ""
}
SELECT i::int4, outcome, at_epoch, at_version, at_chain, command_ids, input_ids FROM verdict WHERE outcome <> 0`

const ofGroups = <A>(make: (oid: number) => A): Readonly<Record<Group, ReadonlyArray<A>>> => ({
  heads: groups.heads.map(make),
  commands: groups.commands.map(make),
  inputs: groups.inputs.map(make),
  events: groups.events.map(make),
  rejections: groups.rejections.map(make),
  sessions: groups.sessions.map(make)
})

const parameters = ofGroups(arrayParameter)

/** A batch in columns. */
const columnsOf = (batch: ReadonlyArray<AppendRows>) => {
  const columns = ofGroups((): Array<unknown> => [])
  const { commands, events, heads, inputs, rejections, sessions } = columns
  const push = (into: ReadonlyArray<Array<unknown>>, from: number, row: ReadonlyArray<unknown>) => {
    for (let c = 0; c < row.length; c++) into[from + c]!.push(row[c])
  }
  for (let index = 0; index < batch.length; index++) {
    const rows = batch[index]!
    const i = index + 1
    push(heads, 0, rows.head)
    for (const commandId of rows.commandIds) push(commands, 0, [i, rows.head[0], commandId])
    for (const inputId of rows.inputIds) push(inputs, 0, [i, rows.head[0], inputId])
    for (const row of rows.events) {
      events[0]!.push(i)
      push(events, 1, row)
    }
    for (const row of rows.rejections) {
      rejections[0]!.push(i)
      push(rejections, 1, row)
    }
    if (rows.session !== null) push(sessions, 0, [i, rows.session])
  }
  return columns
}

/** The statement for a batch, and its parameters: one array for each column. */
export const appendStatement = (protections: Protections) => {
  const texts = new Map<string, string>()
  return (batch: ReadonlyArray<AppendRows>): readonly [sql: string, parameters: ReadonlyArray<PgTypes.Parameter>] => {
    const columns = columnsOf(batch)
    const there = order.filter((group) => !optional.has(group) || columns[group][0]!.length > 0)
    const key = there.join()
    let sql = texts.get(key)
    if (sql === undefined) texts.set(key, (sql = statement(protections, new Set(there))))
    return [sql, there.flatMap((group) => columns[group].map((values, c) => parameters[group][c]!(values)))]
  }
}
