import {
  AgentId,
  type EventId,
  EventId as EventIds,
  fromUuid,
  prefixes,
  SessionId,
  toUuid,
  type WorkspaceId
} from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** A call that waits for a person. */
export interface AskedCall {
  readonly callId: EventId
  readonly sessionId: SessionId
  readonly sessionTitle: string | null
  readonly agentId: AgentId
  readonly threadId: string
  readonly turnId: string
  readonly seq: number
  /** Microseconds since 1970. */
  readonly askedAt: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null
  readonly tool: string
  readonly server: string | null
  readonly executor: string
  readonly input: Json
  readonly inputDigest: string
  readonly question: JsonObject | null
  readonly reason: string | null
  readonly rule: string
}

export interface InboxFilter {
  readonly kind: "approval" | "question"
  readonly sessionId: SessionId | null
  readonly agentId: AgentId | null
  readonly tool: string | null
  readonly order: "asc" | "desc"
  readonly place: { readonly askedAt: number; readonly callId: string } | null
  readonly limit: number
}

type Row = Omit<AskedCall, "callId" | "sessionId" | "agentId"> & {
  readonly callId: string
  readonly sessionId: string
  readonly agentId: string
}

/** What people are asked across the sessions of a workspace, as of a moment ago. */
export class Inbox extends Context.Service<
  Inbox,
  {
    readonly list: (workspaceId: WorkspaceId, filter: InboxFilter) => Effect.Effect<ReadonlyArray<AskedCall>, SqlError>
    /** The session whose call it is; null where nobody waits for an answer to it. */
    readonly sessionOf: (
      workspaceId: WorkspaceId,
      kind: InboxFilter["kind"],
      callId: EventId
    ) => Effect.Effect<SessionId | null, SqlError>
  }
>()("server/Inbox") {
  static readonly layer: Layer.Layer<Inbox, never, SqlClient.SqlClient> = Layer.effect(
    Inbox,
    Effect.suspend(() => make)
  )
}

const sessionIdOf = (uuid: string) => SessionId.make(fromUuid(prefixes.Session, uuid))

const askedOf = ({ agentId, callId, sessionId, ...rest }: Row): AskedCall => ({
  ...rest,
  agentId: AgentId.make(fromUuid(prefixes.Agent, agentId)),
  callId: EventIds.make(fromUuid(prefixes.Event, callId)),
  sessionId: sessionIdOf(sessionId)
})

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const live = sql.literal(`(SELECT version FROM projections WHERE name = 'inbox' AND live)`)

  const list: Inbox["Service"]["list"] = Effect.fn("Inbox.list")(function* (workspaceId, filter) {
    const { agentId, kind, limit, order, place, sessionId, tool } = filter
    const [direction, beyond] = order === "asc" ? ["ASC", ">"] : ["DESC", "<"]
    const clauses = [
      sql`i.generation = ${live}`,
      sql`i.workspace_id = ${toUuid(workspaceId)!}`,
      sql`i.kind = ${kind}`,
      // What has ended since its rows were written is asked no more.
      sql`s.open_requests > 0`,
      ...(sessionId === null ? [] : [sql`i.session_id = ${toUuid(sessionId)!}`]),
      ...(agentId === null ? [] : [sql`s.agent_id = ${toUuid(agentId)!}`]),
      ...(tool === null ? [] : [sql`i.tool = ${tool}`]),
      ...(place === null
        ? []
        : [
            sql`(i.asked_at, i.call_id) ${sql.literal(beyond!)} (${place.askedAt}::bigint, ${toUuid(place.callId) ?? null}::uuid)`
          ])
    ]
    const rows = yield* sql<Row>`
      SELECT i.call_id AS "callId", i.session_id AS "sessionId", s.title AS "sessionTitle", s.agent_id AS "agentId",
        i.thread_id AS "threadId", i.turn_id AS "turnId", i.seq, i.asked_at::float8 AS "askedAt",
        i.expires_at::float8 AS "expiresAt", i.tool, i.server, i.executor, i.input, i.input_digest AS "inputDigest",
        i.question, i.reason, i.rule
      FROM inbox i JOIN sessions s ON s.session_id = i.session_id
      WHERE ${sql.and(clauses)}
      ORDER BY i.asked_at ${sql.literal(direction!)}, i.call_id ${sql.literal(direction!)} LIMIT ${limit}`
    return rows.map(askedOf)
  })

  const sessionOf: Inbox["Service"]["sessionOf"] = Effect.fn("Inbox.sessionOf")(function* (workspaceId, kind, callId) {
    const [row] = yield* sql<{ readonly id: string }>`
      SELECT session_id AS id FROM inbox
      WHERE call_id = ${toUuid(callId)!} AND kind = ${kind} AND workspace_id = ${toUuid(workspaceId)!}
        AND generation = ${live}`
    return row === undefined ? null : sessionIdOf(row.id)
  })

  return Inbox.of({ list, sessionOf })
})
