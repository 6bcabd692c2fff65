import { fromUuid, prefixes } from "@troupe/domain/Ids"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { Effect, Option } from "effect"
import { allEvents } from "../../packages/server/test/support/allEvents.ts"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import { SqlClient } from "effect/sql/SqlClient"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { StoredSession } from "../invariants/Evidence.ts"

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

/** Everything the database holds of these sessions, read as the store reads it and judged apart from it. */
export const collect = Effect.fnUntraced(function* (sessionIds: ReadonlyArray<string>) {
  const store = yield* EventStore
  const sql = yield* SqlClient
  const rows = yield* sql<{ id: string; command_id: string; seq: number }>`
    SELECT stream_id::text AS id, command_id::text AS command_id, seq FROM events WHERE command_id IS NOT NULL`
  const marks = new Map(rows.map((row) => [`${fromUuid(prefixes.Session, row.id)} ${row.seq}`, row.command_id]))
  const summaries = new Map((yield* sql.unsafe<SummaryColumns>(`SELECT ${columns} FROM sessions`)).map(summaryOf))
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
      rejected: [],
      snapshot: Option.match(snapshot, {
        onNone: () => null,
        onSome: ({ state, version }) => ({ state, version, foldVersion })
      }),
      summary: summaries.get(sessionId) ?? null
    })
  }
  return stored
})
