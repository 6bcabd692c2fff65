import { type Actor, system } from "@troupe/domain/Actor"
import { fromUuid, prefixes, toUuid, WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Option } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "./WorkspaceNotes.ts"

export interface Workspace {
  readonly workspaceId: WorkspaceId
  readonly name: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

interface Row {
  readonly id: string
  readonly name: string
  readonly createdAt: number
}

const idOf = (uuid: string) => WorkspaceId.make(fromUuid(prefixes.Workspace, uuid))

const fromRow = ({ createdAt, id, name }: Row): Workspace => ({ workspaceId: idOf(id), name, createdAt })

/** The tenants. */
export class Workspaces extends Context.Service<
  Workspaces,
  {
    /** By an id of the caller's own it is made once. */
    readonly create: (name: string, actor: Actor, id?: WorkspaceId) => Effect.Effect<WorkspaceId, SqlError>
    readonly find: (workspaceId: WorkspaceId) => Effect.Effect<Option.Option<Workspace>, SqlError>
    /** In the order of their ids, which is that of their making, beyond one. */
    readonly list: (after: string | null, limit: number) => Effect.Effect<ReadonlyArray<Workspace>, SqlError>
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

  const create = Effect.fn("Workspaces.create")(function* (name: string, actor: Actor, id?: WorkspaceId) {
    const workspaceId = id ?? WorkspaceId.make(minting.id("Workspace", yield* Clock.currentTimeMillis))
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO workspaces (workspace_id, name) VALUES (${toUuid(workspaceId)!}, ${name})
          ON CONFLICT DO NOTHING RETURNING workspace_id`
        if (made.length > 0) yield* note(workspaceId, actor, { _tag: "WorkspaceCreated", name })
      })
    )
    return workspaceId
  })

  const columns = sql.literal(`
    workspace_id AS id, name, (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt"`)

  const find = Effect.fn("Workspaces.find")(function* (workspaceId: WorkspaceId) {
    const [row] = yield* sql<Row>`SELECT ${columns} FROM workspaces WHERE workspace_id = ${toUuid(workspaceId)!}`
    return row === undefined ? Option.none() : Option.some(fromRow(row))
  })

  const list = Effect.fn("Workspaces.list")(function* (after: string | null, limit: number) {
    const beyond = after === null ? sql`true` : sql`workspace_id > ${toUuid(after) ?? null}::uuid`
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM workspaces WHERE ${beyond} ORDER BY workspace_id LIMIT ${limit}`
    return rows.map(fromRow)
  })

  const oldest = Effect.map(
    sql<{ readonly id: string }>`
      SELECT workspace_id AS id FROM workspaces ORDER BY created_at, workspace_id LIMIT 1`,
    ([row]) => (row === undefined ? undefined : idOf(row.id))
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

  return Workspaces.of({ create, find, first, list })
})
