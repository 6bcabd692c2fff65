import { type RunnerId, SessionId, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createHmac, timingSafeEqual } from "node:crypto"
import { derive } from "../cluster/ClusterSecret.ts"

/** Whom a ticket lets in, and to what. */
export interface Assignment {
  readonly workspaceId: WorkspaceId
  readonly sessionId: SessionId
  readonly runnerId: RunnerId
}

/**
 * Proves that a session was assigned to a runner: the session's id, and a code over it and whom it was assigned to. It is
 * worth nothing without that runner's credential, and has no end: revoking the credential ends it, and `Assignments` says
 * whether the session is there still.
 */
export class Tickets extends Context.Service<
  Tickets,
  {
    readonly issue: (assignment: Assignment) => string
    /** The session that this ticket opens to this runner. */
    readonly check: (holder: Omit<Assignment, "sessionId">, ticket: string) => Option.Option<SessionId>
  }
>()("server/Tickets") {
  static readonly layer: Layer.Layer<Tickets, SqlError, SqlClient.SqlClient> = Layer.effect(
    Tickets,
    Effect.map(derive("ticket"), (key) => make(key))
  )
}

const isSession = Schema.is(SessionId)

const make = (key: string): Tickets["Service"] => {
  const code = ({ runnerId, sessionId, workspaceId }: Assignment) =>
    createHmac("sha256", Buffer.from(key, "hex")).update(`${workspaceId} ${sessionId} ${runnerId}`).digest("base64url")

  const check: Tickets["Service"]["check"] = (holder, ticket) => {
    const [sessionId = "", shown = "", more] = ticket.split(".")
    if (more !== undefined || !isSession(sessionId)) return Option.none()
    const [is, should] = [Buffer.from(shown), Buffer.from(code({ ...holder, sessionId }))]
    return is.length === should.length && timingSafeEqual(is, should) ? Option.some(sessionId) : Option.none()
  }

  return { issue: (assignment) => `${assignment.sessionId}.${code(assignment)}`, check }
}
