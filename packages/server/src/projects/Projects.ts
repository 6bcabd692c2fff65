import { type ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import { patched, tooManyPairs } from "@troupe/domain/api/Common"
import { timeOf } from "@troupe/domain/api/Page"
import type {
  Project,
  ProjectCreate,
  ProjectDefaults,
  ProjectDefinition,
  ProjectUpdate
} from "@troupe/domain/api/Projects"
import { canonical } from "@troupe/domain/CanonicalJson"
import { fromUuid, prefixes, ProjectId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import type { Place } from "../gateway/places.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"

type Failure = ApiFailure | SqlError

/** Groups of sessions. Each write is in the workspace's log too. */
export class Projects extends Context.Service<
  Projects,
  {
    readonly create: (input: ProjectCreate) => Effect.Effect<Project, Failure, Caller | Mint>
    readonly find: (workspaceId: WorkspaceId, projectId: ProjectId) => Effect.Effect<Project, Failure>
    readonly update: (projectId: ProjectId, input: ProjectUpdate) => Effect.Effect<Project, Failure, Caller>
    readonly archive: (projectId: ProjectId) => Effect.Effect<Project, Failure, Caller>
    /** Refused while sessions are in it. */
    readonly remove: (projectId: ProjectId) => Effect.Effect<void, Failure, Caller>
    /** The newest first. */
    readonly list: (
      workspaceId: WorkspaceId,
      options: { readonly includeArchived: boolean; readonly after: Place | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Project>, SqlError>
  }
>()("server/Projects") {
  static readonly layer: Layer.Layer<Projects, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    Projects,
    Effect.suspend(() => make)
  )
}

interface Row {
  readonly id: string
  readonly definition: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
}

const shown = (row: Row): Project => ({
  id: ProjectId.make(fromUuid(prefixes.Project, row.id)),
  type: "project",
  ...(JSON.parse(row.definition) as ProjectDefinition),
  created_at: timeOf(row.createdAt),
  updated_at: timeOf(row.updatedAt),
  archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
})

const noDefaults: ProjectDefaults = {
  agent_id: null,
  environment_id: null,
  labels: [],
  directory: null,
  repository: null
}

const defaultsOf = (before: ProjectDefaults, given: ProjectCreate["defaults"]): ProjectDefaults => {
  const { labels, repository, ...rest } = given ?? {}
  return {
    ...before,
    ...rest,
    labels: labels === undefined ? before.labels : [...new Set(labels)],
    repository:
      repository === undefined
        ? before.repository
        : repository === null
          ? null
          : { url: repository.url, ref: repository.ref ?? null }
  }
}

const digestOf = (definition: ProjectDefinition): string => hash("sha256", canonical(definition), "hex")

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const note = yield* makeNotes

  const columns = sql.literal(`
    project_id AS id, definition::text AS definition, created_at::float8 AS "createdAt",
    updated_at::float8 AS "updatedAt", archived_at::float8 AS "archivedAt"`)

  const find = Effect.fn("Projects.find")(function* (workspaceId: WorkspaceId, projectId: ProjectId) {
    const [row] = yield* sql<Row>`
      SELECT ${columns} FROM projects
      WHERE workspace_id = ${toUuid(workspaceId)!} AND project_id = ${toUuid(projectId)!}`
    return row === undefined ? yield* notFound(`Project ${projectId} was not found.`) : shown(row)
  })

  /** What a project names is of the same workspace. */
  const checked = Effect.fnUntraced(function* (workspaceId: WorkspaceId, definition: ProjectDefinition) {
    const { agent_id, directory, environment_id } = definition.defaults
    const workspace = toUuid(workspaceId)!
    const tooMany = tooManyPairs(definition.metadata)
    if (tooMany !== undefined) return yield* tooMany
    const [there] = yield* sql<{ readonly agent: boolean; readonly environment: boolean; readonly runner: boolean }>`
      SELECT
        EXISTS (SELECT FROM agents WHERE workspace_id = ${workspace} AND agent_id = ${uuidOf(agent_id)}::uuid) AS agent,
        EXISTS (SELECT FROM environments
          WHERE workspace_id = ${workspace} AND environment_id = ${uuidOf(environment_id)}::uuid) AS environment,
        EXISTS (SELECT FROM runners
          WHERE workspace_id = ${workspace} AND runner_id = ${uuidOf(directory?.runner_id ?? null)}::uuid) AS runner`
    if (agent_id !== null && !there!.agent) return yield* invalid(`defaults.agent_id: there is no agent ${agent_id}`)
    if (environment_id !== null && !there!.environment) {
      return yield* invalid(`defaults.environment_id: there is no environment ${environment_id}`)
    }
    if (directory !== null && !there!.runner) {
      return yield* invalid(`defaults.directory.runner_id: there is no runner ${directory.runner_id}`)
    }
    return definition
  })

  const create = Effect.fn("Projects.create")(function* (input: ProjectCreate) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const projectId = ProjectId.make(mint("Project"))
    const definition = yield* checked(workspaceId, {
      name: input.name,
      description: input.description ?? null,
      metadata: input.metadata ?? {},
      defaults: defaultsOf(noDefaults, input.defaults)
    })
    const at = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO projects (project_id, workspace_id, definition, created_at, updated_at)
          VALUES (${toUuid(projectId)!}, ${toUuid(workspaceId)!}, ${JSON.stringify(definition)}::json, ${at}, ${at})
          ON CONFLICT DO NOTHING RETURNING 1`
        // The same request made it before, and its answer was lost.
        if (made.length === 0) return
        const { name } = definition
        yield* note(workspaceId, actor, { _tag: "ProjectCreated", projectId, name, digest: digestOf(definition) })
      })
    )
    return yield* find(workspaceId, projectId)
  })

  /** Holds the row of a project, so that one after the other changes it. */
  const held = Effect.fnUntraced(function* (workspaceId: WorkspaceId, projectId: ProjectId) {
    yield* sql`
      SELECT FROM projects
      WHERE workspace_id = ${toUuid(workspaceId)!} AND project_id = ${toUuid(projectId)!} FOR UPDATE`
    return yield* find(workspaceId, projectId)
  })

  const update = Effect.fn("Projects.update")(function* (projectId: ProjectId, input: ProjectUpdate) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const { archived_at, defaults, description, metadata, name } = yield* held(workspaceId, projectId)
        if (archived_at !== null) return yield* invalid("Cannot modify archived project")
        const before: ProjectDefinition = { name, description, metadata, defaults }
        const definition = yield* checked(workspaceId, {
          name: input.name ?? name,
          description: input.description === undefined ? description : input.description,
          metadata: patched(metadata, input.metadata),
          defaults: defaultsOf(defaults, input.defaults)
        })
        if (canonical(definition) === canonical(before)) return yield* find(workspaceId, projectId)
        yield* sql`
          UPDATE projects SET definition = ${JSON.stringify(definition)}::json, updated_at = ${at}
          WHERE project_id = ${toUuid(projectId)!}`
        const digest = digestOf(definition)
        yield* note(workspaceId, actor, { _tag: "ProjectUpdated", projectId, name: definition.name, digest })
        return yield* find(workspaceId, projectId)
      })
    )
  })

  const archive = Effect.fn("Projects.archive")(function* (projectId: ProjectId) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId, projectId)
        if (before.archived_at !== null) return before
        yield* sql`UPDATE projects SET archived_at = ${at} WHERE project_id = ${toUuid(projectId)!}`
        yield* note(workspaceId, actor, { _tag: "ProjectArchived", projectId })
        return yield* find(workspaceId, projectId)
      })
    )
  })

  const remove = Effect.fn("Projects.remove")(function* (projectId: ProjectId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* held(workspaceId, projectId)
        const id = toUuid(projectId)!
        const members = yield* sql`SELECT FROM sessions WHERE project_id = ${id} AND deleted_at IS NULL LIMIT 1`
        if (members.length > 0) return yield* conflict("Sessions are in this project: archive it, or delete them first")
        yield* sql`DELETE FROM projects WHERE project_id = ${id}`
        yield* note(workspaceId, actor, { _tag: "ProjectDeleted", projectId })
      })
    )
  })

  const list: Projects["Service"]["list"] = Effect.fn("Projects.list")(function* (workspaceId, options) {
    const { after, includeArchived, limit } = options
    const clauses = [
      sql`workspace_id = ${toUuid(workspaceId)!}`,
      ...(includeArchived ? [] : [sql`archived_at IS NULL`]),
      ...(after === null
        ? []
        : [sql`(created_at, project_id) < (${after.createdAt}::bigint, ${toUuid(after.id) ?? null}::uuid)`])
    ]
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM projects WHERE ${sql.and(clauses)}
      ORDER BY created_at DESC, project_id DESC LIMIT ${limit}`
    return rows.map(shown)
  })

  return Projects.of({ create, find, update, archive, remove, list })
})

const uuidOf = (id: string | null): string | null => (id === null ? null : toUuid(id)!)
