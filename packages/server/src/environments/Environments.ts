import { type ApiFailure, invalid, notFound } from "@troupe/domain/api/ApiError"
import {
  checkNames,
  createEnvironment,
  defaultEnvironment,
  updateEnvironment
} from "@troupe/domain/api/compat/environmentRules"
import type {
  Environment,
  EnvironmentCreate,
  EnvironmentDefinition,
  EnvironmentUpdate
} from "@troupe/domain/api/Environments"
import { timeOf } from "@troupe/domain/api/Page"
import { canonical } from "@troupe/domain/CanonicalJson"
import { EnvironmentId, fromUuid, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import type { Place } from "../gateway/places.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import { knownNames } from "./knownNames.ts"

export interface EnvironmentFilter {
  readonly includeArchived: boolean
  readonly after: Place | null
  readonly limit: number
}

export interface KnownEnvironment {
  readonly environment: Environment
  readonly definition: EnvironmentDefinition
  readonly digest: string
}

type Failure = ApiFailure | SqlError

/** How sandboxes are made. Each write is in the workspace's log too. */
export class Environments extends Context.Service<
  Environments,
  {
    readonly create: (input: EnvironmentCreate) => Effect.Effect<Environment, Failure, Caller | Mint>
    readonly find: (workspaceId: WorkspaceId, environmentId: EnvironmentId) => Effect.Effect<KnownEnvironment, Failure>
    /** The one of sessions that name none; made when it is first needed. */
    readonly usual: Effect.Effect<KnownEnvironment, Failure, Caller | Mint>
    /** The same, where there is one already. */
    readonly findUsual: (workspaceId: WorkspaceId) => Effect.Effect<KnownEnvironment | null, SqlError>
    /** Makes it the one of sessions that name none. */
    readonly makeUsual: (environmentId: EnvironmentId) => Effect.Effect<void, SqlError, Caller>
    readonly update: (
      environmentId: EnvironmentId,
      input: EnvironmentUpdate
    ) => Effect.Effect<Environment, Failure, Caller>
    readonly archive: (environmentId: EnvironmentId) => Effect.Effect<Environment, Failure, Caller>
    readonly remove: (environmentId: EnvironmentId) => Effect.Effect<void, Failure, Caller>
    /** The newest first. */
    readonly list: (
      workspaceId: WorkspaceId,
      filter: EnvironmentFilter
    ) => Effect.Effect<ReadonlyArray<Environment>, SqlError>
  }
>()("server/Environments") {
  static readonly layer: Layer.Layer<
    Environments,
    never,
    SqlClient.SqlClient | WorkspaceLog | Minting | RunnerRegistry
  > = Layer.effect(
    Environments,
    Effect.suspend(() => make)
  )
}

interface Row {
  readonly id: string
  readonly definition: string
  readonly digest: Uint8Array
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
}

const known = (row: Row): KnownEnvironment => {
  const definition = JSON.parse(row.definition) as EnvironmentDefinition
  const environment: Environment = {
    id: EnvironmentId.make(fromUuid(prefixes.Environment, row.id)),
    type: "environment",
    ...definition,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
    archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
  }
  return { environment, definition, digest: Buffer.from(row.digest).toString("hex") }
}

const digestOf = (definition: EnvironmentDefinition): string => hash("sha256", canonical(definition), "hex")

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const note = yield* makeNotes
  const runners = yield* RunnerRegistry

  const columns = sql.literal(`
    environment_id AS id, definition::text AS definition, digest, created_at::float8 AS "createdAt",
    updated_at::float8 AS "updatedAt", archived_at::float8 AS "archivedAt"`)

  const absent = (environmentId: EnvironmentId) =>
    notFound(`Environment ${environmentId} was not found.`, "environment_not_found")

  const find = Effect.fn("Environments.find")(function* (workspaceId: WorkspaceId, environmentId: EnvironmentId) {
    const [row] = yield* sql<Row>`
      SELECT ${columns} FROM environments
      WHERE workspace_id = ${toUuid(workspaceId)!} AND environment_id = ${toUuid(environmentId)!}`
    return row === undefined ? yield* absent(environmentId) : known(row)
  })

  const insert = Effect.fnUntraced(function* (definition: EnvironmentDefinition, isDefault: boolean) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const environmentId = EnvironmentId.make(mint("Environment"))
    const at = yield* Clock.currentTimeMillis
    const digest = digestOf(definition)
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO environments
            (environment_id, workspace_id, is_default, digest, definition, created_at, updated_at)
          VALUES (${toUuid(environmentId)!}, ${toUuid(workspaceId)!}, ${isDefault}, ${Buffer.from(digest, "hex")},
            ${JSON.stringify(definition)}::json, ${at}, ${at})
          ON CONFLICT DO NOTHING RETURNING 1`
        // Somebody else made the usual one, or the same request did and its answer was lost.
        if (made.length === 0) return
        yield* note(workspaceId, actor, { _tag: "EnvironmentCreated", environmentId, name: definition.name, digest })
      })
    )
    return environmentId
  })

  /** Refuses names that neither every runner has nor one of the workspace's own. */
  const check = Effect.fnUntraced(function* (definition: EnvironmentDefinition, before?: EnvironmentDefinition) {
    const { workspaceId } = yield* Caller
    const known = knownNames(yield* runners.list(workspaceId))
    yield* Effect.fromResult(checkNames(definition, known, before))
  })

  const create = Effect.fn("Environments.create")(function* (input: EnvironmentCreate) {
    const { workspaceId } = yield* Caller
    const definition = yield* Effect.fromResult(createEnvironment(input))
    yield* check(definition)
    const environmentId = yield* insert(definition, false)
    return (yield* find(workspaceId, environmentId)).environment
  })

  const findUsual = (workspaceId: WorkspaceId): Effect.Effect<KnownEnvironment | null, SqlError> =>
    Effect.map(
      sql<Row>`
        SELECT ${columns} FROM environments
        WHERE workspace_id = ${toUuid(workspaceId)!} AND is_default AND archived_at IS NULL`,
      ([row]) => (row === undefined ? null : known(row))
    )

  const usual = Effect.gen(function* () {
    const { workspaceId } = yield* Caller
    const before = yield* findUsual(workspaceId)
    if (before !== null) return before
    const environmentId = yield* insert(defaultEnvironment, true)
    return (yield* findUsual(workspaceId)) ?? (yield* find(workspaceId, environmentId))
  }).pipe(Effect.withSpan("Environments.usual"))

  const makeUsual = Effect.fn("Environments.makeUsual")(function* (environmentId: EnvironmentId) {
    const { actor, workspaceId } = yield* Caller
    const workspace = toUuid(workspaceId)!
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const usualNow = yield* findUsual(workspaceId)
        if (usualNow?.environment.id === environmentId) return
        yield* sql`UPDATE environments SET is_default = false WHERE workspace_id = ${workspace} AND is_default`
        yield* sql`
          UPDATE environments SET is_default = true
          WHERE workspace_id = ${workspace} AND environment_id = ${toUuid(environmentId)!}`
        yield* note(workspaceId, actor, { _tag: "EnvironmentMadeUsual", environmentId })
      })
    )
  })

  /** Holds the row of an environment, so that one after the other changes it. */
  const held = Effect.fnUntraced(function* (workspaceId: WorkspaceId, environmentId: EnvironmentId) {
    yield* sql`
      SELECT FROM environments
      WHERE workspace_id = ${toUuid(workspaceId)!} AND environment_id = ${toUuid(environmentId)!} FOR UPDATE`
    return yield* find(workspaceId, environmentId)
  })

  const update = Effect.fn("Environments.update")(function* (environmentId: EnvironmentId, input: EnvironmentUpdate) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId, environmentId)
        if (before.environment.archived_at !== null) {
          return yield* invalid("Cannot modify archived environment", "environment_archived")
        }
        const definition = yield* Effect.fromResult(updateEnvironment(before.definition, input))
        const digest = digestOf(definition)
        if (digest === before.digest) return before.environment
        yield* check(definition, before.definition)
        yield* sql`
          UPDATE environments SET digest = ${Buffer.from(digest, "hex")},
            definition = ${JSON.stringify(definition)}::json, updated_at = ${at}
          WHERE environment_id = ${toUuid(environmentId)!}`
        yield* note(workspaceId, actor, { _tag: "EnvironmentUpdated", environmentId, name: definition.name, digest })
        return (yield* find(workspaceId, environmentId)).environment
      })
    )
  })

  const archive = Effect.fn("Environments.archive")(function* (environmentId: EnvironmentId) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId, environmentId)
        if (before.environment.archived_at !== null) return before.environment
        yield* sql`UPDATE environments SET archived_at = ${at} WHERE environment_id = ${toUuid(environmentId)!}`
        yield* note(workspaceId, actor, { _tag: "EnvironmentArchived", environmentId })
        return (yield* find(workspaceId, environmentId)).environment
      })
    )
  })

  const remove = Effect.fn("Environments.remove")(function* (environmentId: EnvironmentId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const gone = yield* sql`
          DELETE FROM environments
          WHERE workspace_id = ${toUuid(workspaceId)!} AND environment_id = ${toUuid(environmentId)!} RETURNING 1`
        if (gone.length === 0) return yield* absent(environmentId)
        yield* note(workspaceId, actor, { _tag: "EnvironmentDeleted", environmentId })
      })
    )
  })

  const list = Effect.fn("Environments.list")(function* (workspaceId: WorkspaceId, filter: EnvironmentFilter) {
    const { after, includeArchived, limit } = filter
    const clauses = [
      sql`workspace_id = ${toUuid(workspaceId)!}`,
      ...(includeArchived ? [] : [sql`archived_at IS NULL`]),
      ...(after === null
        ? []
        : [sql`(created_at, environment_id) < (${after.createdAt}::bigint, ${toUuid(after.id) ?? null}::uuid)`])
    ]
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM environments WHERE ${sql.and(clauses)}
      ORDER BY created_at DESC, environment_id DESC LIMIT ${limit}`
    return rows.map((row) => known(row).environment)
  })

  return Environments.of({ create, find, usual, findUsual, makeUsual, update, archive, remove, list })
})
