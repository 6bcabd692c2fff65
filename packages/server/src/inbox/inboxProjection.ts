import { toUuid } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { sessionProjection } from "../log/sessionProjection.ts"

/** Who is asked what by a call: nobody, where it waits for the result of a program. */
export const kindOf = ({ awaits }: EventOf<"ToolRequested">): "approval" | "question" | null =>
  awaits === "confirmation" ? "approval" : awaits === "answer" ? "question" : null

/** Events that put something into the inbox, or take it out. */
export const inboxTags = new Set<string>([
  "ToolRequested",
  "ToolConfirmed",
  "ToolAnswered",
  "QuestionAnswered",
  "ToolFinished",
  "TurnCompleted",
  "TurnInterrupted",
  "TurnFailed",
  "TurnRetried",
  "SessionArchived",
  "SessionDeleted",
  "RedactionRequested"
] satisfies ReadonlyArray<SessionEvent["_tag"]>)

const insert = Effect.fnUntraced(function* (row: Recorded, event: EventOf<"ToolRequested">, generation: number) {
  const sql = yield* SqlClient.SqlClient
  const kind = kindOf(event)
  if (kind === null) return
  const { callId, executor, expiresAt, input, inputDigest, name, question, server, threadId, turnId, verdict } = event
  yield* sql`
    INSERT INTO inbox (generation, workspace_id, session_id, call_id, kind, thread_id, turn_id, seq, asked_at, expires_at,
      tool, server, executor, input, input_digest, question, reason, rule)
    VALUES (${generation}, ${toUuid(row.workspaceId)!}, ${toUuid(row.streamId)!}, ${toUuid(callId)!}, ${kind},
      ${threadId}, ${turnId}, ${row.seq}, ${row.recordedAt}, ${expiresAt}, ${name}, ${server}, ${executor},
      ${JSON.stringify(input)}::json, ${inputDigest}, ${question === null ? null : JSON.stringify(question)}::json,
      ${verdict.reason}, ${verdict.rule})
    ON CONFLICT DO NOTHING`
})

const take = Effect.fnUntraced(function* (row: Recorded, event: SessionEvent, generation: number) {
  const sql = yield* SqlClient.SqlClient
  const session = toUuid(row.streamId)!
  switch (event._tag) {
    case "ToolRequested":
      return yield* insert(row, event, generation)
    case "ToolConfirmed":
    case "ToolAnswered":
    case "QuestionAnswered":
    case "ToolFinished":
      yield* sql`
        DELETE FROM inbox
        WHERE generation = ${generation} AND session_id = ${session} AND call_id = ${toUuid(event.callId)!}`
      return
    case "TurnCompleted":
    case "TurnInterrupted":
    case "TurnFailed":
    case "TurnRetried":
      yield* sql`
        DELETE FROM inbox WHERE generation = ${generation} AND session_id = ${session} AND turn_id = ${event.turnId}`
      return
    case "SessionArchived":
    case "SessionDeleted":
      yield* sql`DELETE FROM inbox WHERE generation = ${generation} AND session_id = ${session}`
      return
    case "RedactionRequested":
      yield* sql`
        UPDATE inbox SET input = NULL, question = NULL, reason = NULL
        WHERE generation = ${generation} AND session_id = ${session} AND seq = ANY(${[...event.seqs]}::int[])`
  }
})

/** What people are asked, across all sessions: so that nobody has to be woken to say that nothing is asked. */
export const inboxProjection = sessionProjection({
  name: "inbox",
  version: 1,
  tables: ["inbox"],
  tells: ({ type }) => inboxTags.has(type),
  take
})
