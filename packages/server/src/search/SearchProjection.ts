import { toUuid } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { sessionProjection } from "../log/sessionProjection.ts"
import { type Document, documentsOf, takenOut, told } from "./documents.ts"

interface Target {
  readonly generation: number
  readonly session: string
  readonly event: Recorded
}

const write = Effect.fnUntraced(function* ({ event, generation, session }: Target, document: Document) {
  const sql = yield* SqlClient.SqlClient
  const { eventId, field, name, text } = document
  const at = Math.floor(event.recordedAt / 1_000)
  // A session that was purged meanwhile has no row any more, and is not written about.
  yield* sql`
    INSERT INTO search_documents
      (generation, session_id, seq, field, name, workspace_id, event_id, recorded_at, content)
    SELECT ${generation}, session_id, ${event.seq}, ${field}, ${name}, workspace_id, ${eventId}, ${at}, ${text}
    FROM sessions WHERE session_id = ${session} AND deleted_at IS NULL
    ON CONFLICT DO NOTHING`
})

/** What a session is called replaces what it was called before; what was said stays beside what is said. */
const replace = Effect.fnUntraced(function* ({ generation, session }: Target, field: string, name: string | null) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    DELETE FROM search_documents
    WHERE generation = ${generation} AND session_id = ${session} AND field = ${field}
      AND ${name === null ? sql`true` : sql`name = ${name}`}`
})

const forget = Effect.fnUntraced(function* ({ generation, session }: Target, seqs: ReadonlyArray<number> | null) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    DELETE FROM search_documents WHERE generation = ${generation} AND session_id = ${session}
      AND ${seqs === null ? sql`true` : sql`seq = ANY(${[...seqs]}::int[])`}`
})

const take = Effect.fnUntraced(function* (recorded: Recorded, event: SessionEvent, generation: number) {
  const target = { generation, session: toUuid(recorded.streamId)!, event: recorded }
  const out = takenOut(event)
  if (out !== undefined) return yield* forget(target, out)
  const { documents, replaced } = documentsOf(event)
  for (const { field, name } of replaced) yield* replace(target, field, name)
  for (const document of documents) yield* write(target, document)
})

/** What sessions are found by. Redactions and deletions reach it in the order of the log; what was redacted is not written anew. */
export const searchProjection = sessionProjection({
  name: "search",
  version: 1,
  tables: ["search_documents"],
  tells: ({ salt, type }) => told.has(type) && salt !== null,
  take
})
