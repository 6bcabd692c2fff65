import { toUuid, type RunnerId, type SessionId } from "@troupe/domain/Ids"
import { sinceOf } from "@troupe/domain/runner/Protocol"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { RunnerLink } from "./RunnerLinks.ts"
import { Tickets } from "./Tickets.ts"

/** After every owner that the session ever had: it has no other any more. */
const lastEpoch = Number.MAX_SAFE_INTEGER

/**
 * Takes away what deleted sessions still have on a runner that has come back: it was away when they were deleted. Only those
 * go that the database says are deleted, or were: one that it does not know may be another database's.
 */
export class DeletedPlaces extends Context.Service<
  DeletedPlaces,
  { readonly takeAway: (link: RunnerLink) => Effect.Effect<void> }
>()("server/DeletedPlaces") {
  static readonly layer: Layer.Layer<DeletedPlaces, never, SqlClient.SqlClient | Tickets> = Layer.effect(
    DeletedPlaces,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tickets = yield* Tickets

  const deleted = Effect.fnUntraced(function* (workspaceId: string, sessions: ReadonlyArray<SessionId>) {
    const byUuid = new Map(sessions.flatMap((id) => (toUuid(id) === undefined ? [] : [[toUuid(id)!, id] as const])))
    const rows = yield* sql<{ readonly id: string }>`
      SELECT session_id AS id FROM sessions
      WHERE session_id = ANY(${[...byUuid.keys()]}::uuid[]) AND workspace_id = ${toUuid(workspaceId)!}
        AND deleted_at IS NOT NULL
      UNION
      SELECT stream_id FROM redactions r
      WHERE stream_id = ANY(${[...byUuid.keys()]}::uuid[]) AND kind = 'stream'
        AND NOT EXISTS (SELECT FROM heads h WHERE h.stream_id = r.stream_id)`
    return rows.flatMap(({ id }) => byUuid.get(id) ?? [])
  })

  const takeAway = Effect.fn("DeletedPlaces.takeAway")(
    function* ({ connection, identity, version }: RunnerLink) {
      if (version < sinceOf("Places")) return
      const { runnerId, workspaceId } = identity
      const sessions = yield* connection.call(runnerId, "Places", undefined)
      if (sessions.length === 0) return
      const gone = yield* deleted(workspaceId, sessions)
      for (const sessionId of gone) {
        const ticket = tickets.issue({ workspaceId, sessionId, runnerId: runnerId as RunnerId })
        const place = { sessionId, workspaceId, epoch: lastEpoch, ticket }
        yield* connection.call(runnerId, "Destroy", { place, reason: "the session was deleted" })
      }
      if (gone.length === 0) return
      yield* Effect.logInfo("Took away the places of deleted sessions").pipe(
        Effect.annotateLogs({ runnerId, sessions: gone })
      )
    },
    (effect, { identity }) =>
      Effect.catch(effect, ({ message }) =>
        Effect.logWarning("The places of deleted sessions were not taken away").pipe(
          Effect.annotateLogs({ runnerId: identity.runnerId, message })
        )
      )
  )

  return DeletedPlaces.of({ takeAway })
})
