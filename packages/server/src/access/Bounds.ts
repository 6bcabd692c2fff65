import { type ApiFailure, forbidden, notFound } from "@troupe/domain/api/ApiError"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import { type SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

interface Bounded {
  readonly workspaceId: WorkspaceId
  readonly bound: BoundTo | null
}

/** Of sessions as `s`: those that a bound token may see. */
export const withinBound = (sql: SqlClient.SqlClient, bound: BoundTo) => {
  switch (bound.type) {
    case "end_user":
      return bound.session_ids === null
        ? sql`s.end_user = ${bound.subject}`
        : sql`s.session_id = ANY(${bound.session_ids.map((id) => toUuid(id)!)}::uuid[])`
    case "session":
      return sql`s.session_id = ${toUuid(bound.session_id)!}`
    case "environment":
      return sql`s.environment_id = ${toUuid(bound.environment_id)!}`
  }
}

/** What every bound token opens: these answer with no more than what the token is for. */
const open: ReadonlySet<string> = new Set([
  "/v1/sessions",
  // Over these, each session is asked for by itself.
  "/v1/feed",
  "/v1/rpc",
  "/v1/me",
  "/v1/config/client",
  "/v1/logout",
  "/v1/tokens POST"
])

const kept = /^\/v1\/sessions\/:id\/(resources|files\/promote)(\/|$)/
const byHand = /^\/v1\/sessions\/:id\/(exec|terminal)(\/|$)/

/** What a worker needs of its session, as the contract has it: to look at it, to follow it, and to answer its calls. */
const ofWorkers: ReadonlySet<string> = new Set([
  "GET /v1/sessions/:id",
  "GET /v1/sessions/:id/events",
  "POST /v1/sessions/:id/events",
  "GET /v1/sessions/:id/events/stream"
])

const work = /^\/v1\/environments\/:id\/work(\/|$)/
const ownWork = /^\/v1\/environments\/:id\/work\/:work\/(heartbeat|stop)$/

/** What of a session is not for those who see it alone: the workspace's own, and, for end users, its sandbox by hand. */
const beyond = ({ type }: BoundTo, method: string, path: string): boolean =>
  (method !== "GET" && kept.test(path)) || (type === "end_user" && byHand.test(path))

const notTheirs = forbidden("This part of a session is not opened by this token")
const notForWork = forbidden("This token is for the work on one session: to follow its events, and to answer its calls")
const elsewhere = forbidden("This token is for some sessions alone, and opens nothing of the workspace")

/** Whether a token that is for a part of its workspace may go where it asks to. What nobody thought of stays closed. */
export class Bounds extends Context.Service<
  Bounds,
  {
    readonly admit: (
      caller: Bounded,
      endpoint: { readonly method: string; readonly path: string },
      params: unknown
    ) => Effect.Effect<void, ApiFailure | SqlError>
    /** A session that the caller may see, or the same answer as for one that is not there. */
    readonly session: (caller: Bounded, sessionId: SessionId) => Effect.Effect<void, ApiFailure | SqlError>
  }
>()("server/Bounds") {
  static readonly layer: Layer.Layer<Bounds, never, SqlClient.SqlClient> = Layer.effect(
    Bounds,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const session: Bounds["Service"]["session"] = Effect.fn("Bounds.session")(function* (caller, sessionId) {
    const { bound, workspaceId } = caller
    const inside = bound === null ? sql`true` : withinBound(sql, bound)
    const found = yield* sql`
      SELECT FROM sessions s
      WHERE s.session_id = ${toUuid(sessionId)!} AND s.workspace_id = ${toUuid(workspaceId)!} AND s.deleted_at IS NULL
        AND ${inside}`
    if (found.length === 0) return yield* notFound(`Session ${sessionId} was not found.`)
  })

  const admit: Bounds["Service"]["admit"] = (caller, { method, path }, params) => {
    const { bound } = caller
    if (bound === null) return Effect.void
    const id = (params as { readonly id?: string } | undefined)?.id
    const workId = bound.type === "session" ? bound.work_id : undefined
    if (workId !== undefined && ownWork.test(path)) {
      const asked = (params as { readonly work?: string } | undefined)?.work
      return asked === workId ? Effect.void : Effect.fail(notFound(`Work ${asked} was not found.`))
    }
    if (workId !== undefined && !ofWorkers.has(`${method} ${path}`)) return Effect.fail(notForWork)
    if (/^\/v1\/sessions\/:id(\/|$)/.test(path)) {
      return beyond(bound, method, path) ? Effect.fail(notTheirs) : session(caller, id as SessionId)
    }
    if (bound.type === "environment" && (path === "/v1/environments/:id" ? method === "GET" : work.test(path))) {
      return id === bound.environment_id ? Effect.void : Effect.fail(notFound(`Environment ${id} was not found.`))
    }
    return open.has(path) || open.has(`${path} ${method}`) ? Effect.void : Effect.fail(elsewhere)
  }

  return Bounds.of({ admit, session })
})
