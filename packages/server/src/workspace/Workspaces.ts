import { type Actor, system } from "@troupe/domain/Actor"
import { fromUuid, prefixes, toUuid, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "./WorkspaceNotes.ts"

/** The tenants. */
export class Workspaces extends Context.Service<
  Workspaces,
  {
    readonly create: (name: string, actor: Actor) => Effect.Effect<WorkspaceId, SqlError>
    /** The oldest one; made where there is none yet. */
    readonly first: Effect.Effect<WorkspaceId, SqlError>
  }
>()("server/Workspaces") {
  static readonly layer: Layer.Layer<Workspaces, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    Workspaces,
    Effect.suspend(() => make)
  )
}

/** Nodes that start together make one first workspace: "first" in ASCII. */
const firstLock = 0x66697273

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting
  const note = yield* makeNotes

  const create = Effect.fn("Workspaces.create")(function* (name: string, actor: Actor) {
    const workspaceId = WorkspaceId.make(minting.id("Workspace", yield* Clock.currentTimeMillis))
    yield* sql.withTransaction(
      Effect.andThen(
        sql`INSERT INTO workspaces (workspace_id, name) VALUES (${toUuid(workspaceId)!}, ${name})`,
        note(workspaceId, actor, { _tag: "WorkspaceCreated", name })
      )
    )
    return workspaceId
  })

  const oldest = Effect.map(
    sql<{ readonly id: string }>`
      SELECT workspace_id AS id FROM workspaces ORDER BY created_at, workspace_id LIMIT 1`,
    ([row]) => (row === undefined ? undefined : WorkspaceId.make(fromUuid(prefixes.Workspace, row.id)))
  )

  const first = Effect.gen(function* () {
    const known = yield* oldest
    if (known !== undefined) return known
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`SELECT pg_advisory_xact_lock(${firstLock})`
        return (yield* oldest) ?? (yield* create("default", system))
      })
    )
  })

  return Workspaces.of({ create, first })
})
