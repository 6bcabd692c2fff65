import { fromUuid, prefixes, toUuid } from "@troupe/domain/Ids"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { Effect, Option } from "effect"
import { allEvents } from "../../packages/server/test/support/allEvents.ts"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import { SqlClient } from "effect/sql/SqlClient"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { ReadTables, StoredSession } from "../invariants/Evidence.ts"
import { noUsage } from "../invariants/tables.ts"
import { claimsNoted } from "./claims.ts"

interface SummaryColumns {
  readonly row: string
}

const columns = "to_jsonb(sessions)::text AS row"

const publicId = (kind: keyof typeof prefixes, uuid: unknown): string | null =>
  typeof uuid === "string" ? fromUuid(prefixes[kind], uuid) : null

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const summaryOf = ({ row }: SummaryColumns): readonly [string, SummaryRow] => {
  const columns = JSON.parse(row) as Record<string, unknown>
  const { session_id, workspace_id: _, ...rest } = columns
  const fields = Object.fromEntries(Object.entries(rest).map(([name, value]) => [camel(name), value]))
  const summary = {
    ...fields,
    agentId: publicId("Agent", columns["agent_id"]),
    environmentId: publicId("Environment", columns["environment_id"]),
    projectId: publicId("Project", columns["project_id"]),
    parentId: publicId("Session", columns["parent_id"]),
    deploymentId: publicId("Deployment", columns["deployment_id"])
  }
  return [fromUuid(prefixes.Session, session_id as string), summary as unknown as SummaryRow]
}

/** How long read tables may be behind, once nothing more is written. */
const behindMs = 60_000

/** Waits until read tables have taken all that is in the log, and are read. */
const caughtUp = Effect.gen(function* () {
  const sql = yield* SqlClient
  const behind = sql`
    SELECT name FROM projections p
    WHERE NOT EXISTS (SELECT FROM projections l WHERE l.name = p.name AND l.live)
      OR live AND (xid, position) < (SELECT xid, position FROM events ORDER BY xid DESC, position DESC LIMIT 1)`
  while ((yield* behind).length > 0) yield* Effect.sleep(100)
}).pipe(Effect.timeout(behindMs))

const tablesOf = Effect.gen(function* () {
  const sql = yield* SqlClient
  const usage = yield* sql<{ readonly id: string } & ReadTables["usage"]>`
    SELECT session_id::text AS id, sum(model_requests)::float8 AS "modelRequests", sum(input_tokens)::float8 AS "inputTokens",
      sum(output_tokens)::float8 AS "outputTokens", sum(cost_micro_usd)::float8 AS "costMicroUsd",
      sum(tool_calls)::float8 AS "toolCalls"
    FROM usage_days JOIN projections p ON p.name = 'usage' AND p.live AND p.version = generation GROUP BY session_id`
  const inbox = yield* sql<{ readonly id: string; readonly call: string }>`
    SELECT session_id::text AS id, call_id::text AS call
    FROM inbox JOIN projections p ON p.name = 'inbox' AND p.live AND p.version = generation`
  const waiting = yield* sql<{ readonly id: string; readonly turn: string }>`
    SELECT session_id::text AS id, turn_id || ' ' || waits_for AS turn
    FROM waiting_turns JOIN projections p ON p.name = 'queues' AND p.live AND p.version = generation`
  return (sessionId: string): ReadTables => {
    const uuid = toUuid(sessionId)
    const { id: _, ...sums } = usage.find(({ id }) => id === uuid) ?? { id: "", ...noUsage }
    const asked = inbox.filter(({ id }) => id === uuid)
    const turns = waiting.filter(({ id }) => id === uuid).map(({ turn }) => turn)
    return { usage: sums, inbox: asked.map(({ call }) => fromUuid(prefixes.Event, call)), waiting: turns }
  }
})

/** Everything the database holds of these sessions, read as the store reads it and judged apart from it. */
export const collect = Effect.fnUntraced(function* (sessionIds: ReadonlyArray<string>) {
  const store = yield* EventStore
  const sql = yield* SqlClient
  const rows = yield* sql<{ id: string; command_id: string; seq: number }>`
    SELECT stream_id::text AS id, command_id::text AS command_id, seq FROM events WHERE command_id IS NOT NULL`
  const marks = new Map(rows.map((row) => [`${fromUuid(prefixes.Session, row.id)} ${row.seq}`, row.command_id]))
  const summaries = new Map((yield* sql.unsafe<SummaryColumns>(`SELECT ${columns} FROM sessions`)).map(summaryOf))
  yield* caughtUp
  const tables = yield* tablesOf
  const claimsOf = yield* claimsNoted
  const stored: Array<StoredSession> = []
  for (const sessionId of sessionIds) {
    const head = yield* store.head(sessionId)
    if (Option.isNone(head)) continue
    const events = yield* allEvents(sessionId)
    const snapshot = yield* store.snapshot(sessionId, foldVersion)
    stored.push({
      sessionId,
      events: events.map((event) => {
        const commandId = marks.get(`${sessionId} ${event.seq}`)
        return { ...event, commandId: commandId === undefined ? null : fromUuid(prefixes.Command, commandId) }
      }),
      head: head.value,
      claims: claimsOf(sessionId),
      rejected: [],
      snapshot: Option.match(snapshot, {
        onNone: () => null,
        onSome: ({ state, version }) => ({ state, version, foldVersion })
      }),
      summary: summaries.get(sessionId) ?? null,
      tables: tables(sessionId)
    })
  }
  return stored
})
