import type { Agent, AgentCreate, AgentDefinition, AgentUpdate } from "@troupe/domain/api/Agents"
import { type ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import { createAgent, sameDefinition, updateAgent } from "@troupe/domain/api/compat/agentRules"
import { registeredServers } from "@troupe/domain/api/compat/agentTools"
import { mapRoster } from "@troupe/domain/api/compat/multiagent"
import { timeOf } from "@troupe/domain/api/Page"
import { canonical } from "@troupe/domain/CanonicalJson"
import { AgentId, fromUuid, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import type { Place } from "../gateway/places.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import { pinRoster } from "./rosters.ts"

export interface AgentFilter {
  readonly includeArchived: boolean
  /** Milliseconds since 1970, both included. */
  readonly from: number | null
  readonly to: number | null
  readonly after: Place | null
  readonly limit: number
}

/** A version of an agent, as sessions are opened with it. */
export interface AgentVersion {
  readonly agent: Agent
  readonly definition: AgentDefinition
  readonly digest: string
}

type Failure = ApiFailure | SqlError

/** Agents with their versions. Each write is in the workspace's log too. */
export class Agents extends Context.Service<
  Agents,
  {
    readonly create: (input: AgentCreate) => Effect.Effect<Agent, Failure, Caller | Mint>
    /** The newest version, or the one that is named. */
    readonly find: (
      workspaceId: WorkspaceId,
      agentId: AgentId,
      version?: number
    ) => Effect.Effect<AgentVersion, Failure>
    /** A new version, unless it would say the same. */
    readonly update: (agentId: AgentId, input: AgentUpdate) => Effect.Effect<Agent, Failure, Caller>
    readonly archive: (agentId: AgentId) => Effect.Effect<Agent, Failure, Caller>
    /** The newest first. */
    readonly list: (workspaceId: WorkspaceId, filter: AgentFilter) => Effect.Effect<ReadonlyArray<Agent>, SqlError>
    /** Versions below `before`, the newest first. */
    readonly versions: (
      workspaceId: WorkspaceId,
      agentId: AgentId,
      options: { readonly before: number | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Agent>, Failure>
  }
>()("server/Agents") {
  static readonly layer: Layer.Layer<Agents, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    Agents,
    Effect.suspend(() => make)
  )
}

interface Row {
  readonly id: string
  readonly version: number
  readonly newest: number
  readonly definition: string
  readonly digest: Uint8Array
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
}

const toVersion = (row: Row): AgentVersion => {
  const definition = JSON.parse(row.definition) as AgentDefinition
  const id = AgentId.make(fromUuid(prefixes.Agent, row.id))
  const own = { type: "agent", id, version: row.version }
  const agent: Agent = {
    id,
    type: "agent",
    ...definition,
    multiagent: mapRoster(definition.multiagent, (member) => (member.type === "self" ? own : member)),
    version: row.version,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
    archived_at: row.archivedAt === null ? null : timeOf(row.archivedAt)
  }
  return { agent, definition, digest: Buffer.from(row.digest).toString("hex") }
}

const digestOf = (definition: AgentDefinition): string => hash("sha256", canonical(definition), "hex")

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const note = yield* makeNotes

  // A version's own time is when it was made; the line's is when its first one was.
  const columns = sql.literal(`
    a.agent_id AS id, v.version, a.version AS newest, v.definition::text AS definition, v.digest,
    a.created_at::float8 AS "createdAt", v.created_at::float8 AS "updatedAt", a.archived_at::float8 AS "archivedAt"`)

  const absent = (agentId: AgentId) => notFound(`Agent ${agentId} was not found.`)

  const find = Effect.fn("Agents.find")(function* (workspaceId: WorkspaceId, agentId: AgentId, version?: number) {
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM agents a JOIN agent_versions v USING (agent_id)
      WHERE a.workspace_id = ${toUuid(workspaceId)!} AND a.agent_id = ${toUuid(agentId)!}
        AND v.version IN (a.version, ${version ?? -1}::bigint)`
    const row = rows.find((one) => one.version === (version ?? one.newest))
    if (row !== undefined) return toVersion(row)
    return yield* rows.length === 0 ? absent(agentId) : notFound("Agent version not found.")
  })

  const write = Effect.fnUntraced(function* (id: string, version: number, definition: AgentDefinition, at: number) {
    const digest = digestOf(definition)
    yield* sql`
      INSERT INTO agent_versions (agent_id, version, digest, definition, created_at)
      VALUES (${id}, ${version}, ${Buffer.from(digest, "hex")}, ${JSON.stringify(definition)}::json, ${at})`
    return digest
  })

  /** Read as it is: what of the settings can't be read settles nothing. */
  const defaultModel = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
    const [row] = yield* sql<{ readonly model: string | null }>`
      SELECT settings -> 'defaults' ->> 'model' AS model FROM workspace_settings
      WHERE workspace_id = ${toUuid(workspaceId)!}`
    return row?.model ?? null
  })

  /** Servers of the workspace's list are there when an agent begins to name them. */
  const checkServers = Effect.fnUntraced(function* (workspaceId: WorkspaceId, { mcp_servers }: AgentDefinition) {
    const named = registeredServers(mcp_servers)
    if (named.length === 0) return
    const rows = yield* sql<{ readonly id: string }>`
      SELECT server_id AS id FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!}
        AND server_id = ANY(${named.map(({ serverId }) => toUuid(serverId)!)}::uuid[])
      FOR SHARE`
    const known = new Set(rows.map(({ id }) => fromUuid(prefixes.McpServer, id)))
    const missing = named.find(({ serverId }) => !known.has(serverId))
    if (missing === undefined) return
    return yield* invalid(`mcp_servers.${missing.at}.server_id: there is no MCP server ${missing.serverId}`)
  })

  const withRoster = (workspaceId: WorkspaceId, owner: AgentId | null, definition: AgentDefinition) =>
    Effect.map(
      pinRoster(definition.multiagent, owner, (agentId, version) => find(workspaceId, agentId, version)),
      (multiagent) => ({ ...definition, multiagent })
    )

  const create = Effect.fn("Agents.create")(function* (input: AgentCreate) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const wanted = yield* Effect.fromResult(createAgent(input, yield* defaultModel(workspaceId)))
    const definition = yield* withRoster(workspaceId, null, wanted)
    yield* checkServers(workspaceId, definition)
    const agentId = AgentId.make(mint("Agent"))
    const id = toUuid(agentId)!
    const at = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO agents (agent_id, workspace_id, version, created_at, updated_at)
          VALUES (${id}, ${toUuid(workspaceId)!}, 1, ${at}, ${at}) ON CONFLICT DO NOTHING RETURNING 1`
        // The same request made it before, and its answer was lost.
        if (made.length === 0) return
        const digest = yield* write(id, 1, definition, at)
        yield* note(workspaceId, actor, { _tag: "AgentCreated", agentId, version: 1, name: definition.name, digest })
      })
    )
    return (yield* find(workspaceId, agentId)).agent
  })

  /** Holds the row of an agent, so that one after the other changes it. */
  const held = Effect.fnUntraced(function* (workspaceId: WorkspaceId, agentId: AgentId) {
    yield* sql`
      SELECT FROM agents WHERE workspace_id = ${toUuid(workspaceId)!} AND agent_id = ${toUuid(agentId)!} FOR UPDATE`
    return yield* find(workspaceId, agentId)
  })

  const update = Effect.fn("Agents.update")(function* (agentId: AgentId, input: AgentUpdate) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId, agentId)
        const { archived_at, version } = before.agent
        if (archived_at !== null) return yield* invalid("Cannot modify archived agent")
        if (input.version !== undefined && input.version !== version) {
          return yield* conflict(`Agent is at version ${version}, not ${input.version}`)
        }
        const wanted = yield* Effect.fromResult(updateAgent(before.definition, input))
        const definition = input.multiagent == null ? wanted : yield* withRoster(workspaceId, agentId, wanted)
        if (sameDefinition(definition, before.definition)) return before.agent
        yield* checkServers(workspaceId, definition)
        const id = toUuid(agentId)!
        const digest = yield* write(id, version + 1, definition, at)
        yield* sql`UPDATE agents SET version = ${version + 1}, updated_at = ${at} WHERE agent_id = ${id}`
        const { name } = definition
        yield* note(workspaceId, actor, { _tag: "AgentUpdated", agentId, version: version + 1, name, digest })
        return (yield* find(workspaceId, agentId)).agent
      })
    )
  })

  const archive = Effect.fn("Agents.archive")(function* (agentId: AgentId) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId, agentId)
        if (before.agent.archived_at !== null) return before.agent
        yield* sql`UPDATE agents SET archived_at = ${at} WHERE agent_id = ${toUuid(agentId)!}`
        yield* note(workspaceId, actor, { _tag: "AgentArchived", agentId })
        return (yield* find(workspaceId, agentId)).agent
      })
    )
  })

  const list = Effect.fn("Agents.list")(function* (workspaceId: WorkspaceId, filter: AgentFilter) {
    const { after, from, includeArchived, limit, to } = filter
    const clauses = [
      sql`a.workspace_id = ${toUuid(workspaceId)!}`,
      ...(includeArchived ? [] : [sql`a.archived_at IS NULL`]),
      ...(from === null ? [] : [sql`a.created_at >= ${from}`]),
      ...(to === null ? [] : [sql`a.created_at <= ${to}`]),
      ...(after === null
        ? []
        : [sql`(a.created_at, a.agent_id) < (${after.createdAt}::bigint, ${toUuid(after.id) ?? null}::uuid)`])
    ]
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM agents a JOIN agent_versions v ON v.agent_id = a.agent_id AND v.version = a.version
      WHERE ${sql.and(clauses)} ORDER BY a.created_at DESC, a.agent_id DESC LIMIT ${limit}`
    return rows.map((row) => toVersion(row).agent)
  })

  const versions: Agents["Service"]["versions"] = Effect.fn("Agents.versions")(function* (
    workspaceId,
    agentId,
    { before, limit }
  ) {
    const rows = yield* sql<Row>`
        SELECT ${columns} FROM agents a JOIN agent_versions v USING (agent_id)
        WHERE a.workspace_id = ${toUuid(workspaceId)!} AND a.agent_id = ${toUuid(agentId)!}
          AND v.version < ${before ?? 2_147_483_647}::bigint
        ORDER BY v.version DESC LIMIT ${limit}`
    if (rows.length === 0) yield* find(workspaceId, agentId)
    return rows.map((row) => toVersion(row).agent)
  })

  return Agents.of({ create, find, update, archive, list, versions })
})
