import { invalid, notFound, type ApiFailure } from "@troupe/domain/api/ApiError"
import type { Surroundings } from "@troupe/domain/api/compat/toCompat"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import { type SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Option } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { withinBound } from "../access/Bounds.ts"
import * as Together from "../Together.ts"
import { unreadableCode } from "./SessionCalls.ts"
import { type SessionRow, sessionColumns, type SessionView, viewOf } from "./SessionView.ts"

export interface SessionPlace {
  readonly createdAt: number
  readonly sessionId: string
}

export interface SessionFilter {
  readonly agentId: string | null
  readonly agentVersion: number | null
  readonly deploymentId: string | null
  readonly projectId: string | null
  /** What the caller's token is for, where that is not the whole workspace. */
  readonly bound: BoundTo | null
  readonly statuses: ReadonlyArray<string> | null
  readonly includeArchived: boolean
  /** Milliseconds since 1970, with whether the moment itself counts. */
  readonly from: number | null
  readonly to: number | null
  readonly order: "asc" | "desc"
  /** What comes after a place in the order, or before it. */
  readonly place: SessionPlace | null
  readonly backwards: boolean
  readonly limit: number
}

/** What never changes of a session: enough to send it something, and to show what it makes of that. */
export interface KnownSession {
  readonly id: SessionId
  readonly around: Surroundings
}

const knownMax = 10_000

type Failure = ApiFailure | SqlError

/** What the gateway reads of sessions without waking any of them. */
export class SessionReads extends Context.Service<
  SessionReads,
  {
    readonly find: (workspaceId: WorkspaceId, sessionId: SessionId) => Effect.Effect<SessionView, Failure>
    /** The same without asking again, for those whom the session itself answers: it may be archived or gone by now. */
    readonly known: (workspaceId: WorkspaceId, sessionId: SessionId) => Effect.Effect<KnownSession, Failure>
    readonly list: (
      workspaceId: WorkspaceId,
      filter: SessionFilter
    ) => Effect.Effect<ReadonlyArray<SessionView>, SqlError>
  }
>()("server/SessionReads") {
  static readonly layer: Layer.Layer<SessionReads, never, SqlClient.SqlClient> = Layer.effect(
    SessionReads,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const columns = sql.literal(sessionColumns)

  const keyOf = (workspace: string, session: string) => `${workspace} ${session}`

  const findAll = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    const ids = keys.map((key) => key.slice(key.indexOf(" ") + 1))
    const rows = yield* sql<SessionRow>`
      SELECT ${columns} FROM sessions s WHERE s.session_id = ANY(${ids}::uuid[]) AND s.deleted_at IS NULL`
    const now = yield* Clock.currentTimeMillis
    return new Map(
      // Null where the session's first event can't be read: there is one, of which nothing can be shown.
      rows.map((row) => [keyOf(row.workspace, row.id), viewOf(row, now)] as const)
    )
  }, Effect.withTracerEnabled(false))
  // Readers that come back do so together, and most of them to the same sessions.
  const oneOf = yield* Together.make(findAll, { underWayMax: 2, keysMax: 50 })

  const find = Effect.fn("SessionReads.find")(function* (workspaceId: WorkspaceId, sessionId: SessionId) {
    const found = yield* oneOf(keyOf(toUuid(workspaceId)!, toUuid(sessionId)!))
    if (Option.isNone(found)) return yield* notFound(`Session ${sessionId} was not found.`)
    if (found.value === null) return yield* invalid(`The log of ${sessionId} can't be read at 1`, unreadableCode)
    return found.value
  })

  const remembered = new Map<string, KnownSession>()

  const known: SessionReads["Service"]["known"] = (workspaceId, sessionId) =>
    Effect.suspend(() => {
      const key = `${workspaceId} ${sessionId}`
      const one = remembered.get(key)
      if (one !== undefined) return Effect.succeed(one)
      return Effect.map(find(workspaceId, sessionId), ({ around }) => {
        if (remembered.size >= knownMax) remembered.clear()
        const found = { id: sessionId, around }
        remembered.set(key, found)
        return found
      })
    })

  const list = Effect.fn("SessionReads.list")(function* (workspaceId: WorkspaceId, filter: SessionFilter) {
    const {
      agentId,
      agentVersion,
      backwards,
      bound,
      deploymentId,
      from,
      includeArchived,
      limit,
      order,
      place,
      projectId,
      statuses,
      to
    } = filter
    const descending = (order === "desc") !== backwards
    const beyond = sql.literal(descending ? "<" : ">")
    const clauses = [
      sql`s.workspace_id = ${toUuid(workspaceId)!}`,
      sql`s.deleted_at IS NULL`,
      ...(bound === null ? [] : [withinBound(sql, bound)]),
      ...(includeArchived ? [] : [sql`s.archived_at IS NULL`]),
      ...(agentId === null ? [] : [sql`s.agent_id = ${toUuid(agentId)!}`]),
      ...(agentVersion === null ? [] : [sql`s.agent_version = ${agentVersion}::bigint`]),
      ...(deploymentId === null ? [] : [sql`s.deployment_id = ${toUuid(deploymentId) ?? null}::uuid`]),
      ...(projectId === null ? [] : [sql`s.project_id = ${toUuid(projectId)!}`]),
      ...(statuses === null ? [] : [sql`s.status = ANY(${[...statuses]}::text[])`]),
      ...(from === null ? [] : [sql`s.created_at >= ${from}`]),
      ...(to === null ? [] : [sql`s.created_at <= ${to}`]),
      ...(place === null
        ? []
        : [
            sql`(s.created_at, s.session_id) ${beyond} (${place.createdAt}::bigint, ${toUuid(place.sessionId) ?? null}::uuid)`
          ])
    ]
    const direction = sql.literal(descending ? "DESC" : "ASC")
    const rows = yield* sql<SessionRow>`
      SELECT ${columns} FROM sessions s WHERE ${sql.and(clauses)}
      ORDER BY s.created_at ${direction}, s.session_id ${direction} LIMIT ${limit}`
    const now = yield* Clock.currentTimeMillis
    return rows.flatMap((row) => viewOf(row, now) ?? [])
  })

  return SessionReads.of({ find, known, list })
})
