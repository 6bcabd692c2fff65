import { type ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import type { McpServer, McpServerCreate, McpServerDefinition, McpServerUpdate } from "@troupe/domain/api/McpServers"
import { timeOf } from "@troupe/domain/api/Page"
import { canonical } from "@troupe/domain/CanonicalJson"
import { fromUuid, McpServerId, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import type { Place } from "../gateway/places.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import type { MasterKeyUnusable } from "../secrets/MasterKeys.ts"
import { SecretBox } from "../secrets/SecretBox.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"

type Failure = ApiFailure | SqlError
type Headers = NonNullable<McpServerCreate["headers"]>

/** MCP servers that agents of a workspace may use by their ids. Each write is in the workspace's log too. */
export class McpServers extends Context.Service<
  McpServers,
  {
    readonly create: (input: McpServerCreate) => Effect.Effect<McpServer, Failure | MasterKeyUnusable, Caller | Mint>
    readonly find: (workspaceId: WorkspaceId, serverId: McpServerId) => Effect.Effect<McpServer, Failure>
    /** Those of some ids that there are. */
    readonly some: (
      workspaceId: WorkspaceId,
      serverIds: ReadonlyArray<McpServerId>
    ) => Effect.Effect<ReadonlyMap<string, McpServer>, SqlError>
    readonly update: (
      serverId: McpServerId,
      input: McpServerUpdate
    ) => Effect.Effect<McpServer, Failure | MasterKeyUnusable, Caller>
    readonly remove: (serverId: McpServerId) => Effect.Effect<void, Failure, Caller>
    /** Holds the row of a server for the caller's transaction, so that one after the other changes it. */
    readonly held: (workspaceId: WorkspaceId, serverId: McpServerId) => Effect.Effect<McpServer, Failure>
    /** The newest first. */
    readonly list: (
      workspaceId: WorkspaceId,
      options: { readonly after: Place | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<McpServer>, SqlError>
  }
>()("server/McpServers") {
  static readonly layer: Layer.Layer<McpServers, never, SqlClient.SqlClient | WorkspaceLog | Minting | SecretBox> =
    Layer.effect(
      McpServers,
      Effect.suspend(() => make)
    )
}

interface Row {
  readonly id: string
  readonly definition: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly authorization: McpServer["authorization"]
}

const shown = (row: Row): McpServer => ({
  id: McpServerId.make(fromUuid(prefixes.McpServer, row.id)),
  type: "mcp_server",
  ...(JSON.parse(row.definition) as McpServerDefinition),
  authorization: row.authorization,
  created_at: timeOf(row.createdAt),
  updated_at: timeOf(row.updatedAt)
})

/** Where the sealed headers of a server belong. */
export const secretPlace = (serverId: McpServerId): string => `mcp server ${serverId}`

const digestOf = (definition: McpServerDefinition): string => hash("sha256", canonical(definition), "hex")

const definitionOf = (server: McpServer): McpServerDefinition => {
  const { authorization: _, created_at: __, id: ___, type: ____, updated_at: _____, ...definition } = server
  return definition
}

export const originOf = ({ server }: Pick<McpServerDefinition, "server">): string | null =>
  server.type === "url" ? new URL(server.url).origin : null

export const urlOf = ({ server }: Pick<McpServerDefinition, "server">): string | null =>
  server.type === "url" ? new URL(server.url).href : null

/** What runs inside of a sandbox is sent no headers, and how a URL is spoken to says nothing of a program. */
const checked = (definition: McpServerDefinition) => {
  if (definition.server.type === "url") return Effect.succeed(definition)
  if (definition.header_names.length > 0) return Effect.fail(invalid("headers: a stdio server is sent none"))
  if (definition.options.transport !== undefined) return Effect.fail(invalid("options.transport: is of a url server"))
  return Effect.succeed(definition)
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const box = yield* SecretBox
  const note = yield* makeNotes

  const columns = sql.literal(`
    server_id AS id, definition::text AS definition, created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt",
    COALESCE((SELECT shown ->> 'status' FROM mcp_authorizations a WHERE a.server_id = mcp_servers.server_id), 'none')
      AS "authorization"`)

  const find = Effect.fn("McpServers.find")(function* (workspaceId: WorkspaceId, serverId: McpServerId) {
    const [row] = yield* sql<Row>`
      SELECT ${columns} FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!} AND server_id = ${toUuid(serverId)!}`
    return row === undefined ? yield* notFound(`MCP server ${serverId} was not found.`) : shown(row)
  })

  const some = Effect.fn("McpServers.some")(function* (workspaceId: WorkspaceId, ids: ReadonlyArray<McpServerId>) {
    if (ids.length === 0) return new Map<string, McpServer>()
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!} AND server_id = ANY(${ids.map((id) => toUuid(id)!)}::uuid[])`
    return new Map(rows.map(shown).map((server) => [server.id as string, server]))
  })

  const seal = (serverId: McpServerId, headers: Headers | null | undefined) =>
    headers == null || Object.keys(headers).length === 0
      ? Effect.succeed(null)
      : Effect.map(box.seal(secretPlace(serverId), Redacted.make(JSON.stringify({ headers }))), (sealed) =>
          Buffer.from(sealed)
        )

  const taken = (name: string) => conflict(`There is an MCP server ${name} already`)

  const create = Effect.fn("McpServers.create")(function* (input: McpServerCreate) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const serverId = McpServerId.make(mint("McpServer"))
    const { description, headers, name, options, server } = input
    const definition = yield* checked({
      name,
      description: description ?? null,
      server,
      options: options ?? {},
      header_names: Object.keys(headers ?? {}).sort()
    })
    const secret = yield* seal(serverId, headers)
    const at = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO mcp_servers
            (server_id, workspace_id, name, definition, secret, secret_version, created_at, updated_at)
          VALUES (${toUuid(serverId)!}, ${toUuid(workspaceId)!}, ${name}, ${JSON.stringify(definition)}::json, ${secret},
            1, ${at}, ${at})
          ON CONFLICT DO NOTHING RETURNING 1`
        if (made.length > 0) {
          yield* note(workspaceId, actor, { _tag: "McpServerCreated", serverId, name, digest: digestOf(definition) })
          return
        }
        // The same request made it before, and its answer was lost; else another has the name.
        if (!(yield* some(workspaceId, [serverId])).has(serverId)) return yield* taken(name)
      })
    )
    return yield* find(workspaceId, serverId)
  })

  const held = Effect.fnUntraced(function* (workspaceId: WorkspaceId, serverId: McpServerId) {
    yield* sql`
      SELECT FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!} AND server_id = ${toUuid(serverId)!} FOR UPDATE`
    return yield* find(workspaceId, serverId)
  })

  const isTaken = Effect.fnUntraced(function* (workspaceId: WorkspaceId, serverId: McpServerId, name: string) {
    const others = yield* sql`
      SELECT FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!} AND name = ${name} AND server_id <> ${toUuid(serverId)!}`
    return others.length > 0
  })

  const update = Effect.fn("McpServers.update")(function* (serverId: McpServerId, input: McpServerUpdate) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const before = definitionOf(yield* held(workspaceId, serverId))
        const { description, headers, name, options, server } = input
        const secretChanged = headers !== undefined
        const definition = yield* checked({
          name: name ?? before.name,
          description: description === undefined ? before.description : description,
          server: server ?? before.server,
          options: options ?? before.options,
          header_names: secretChanged ? Object.keys(headers ?? {}).sort() : before.header_names
        })
        if (!secretChanged && canonical(definition) === canonical(before)) return yield* find(workspaceId, serverId)
        if (!secretChanged && before.header_names.length > 0 && originOf(before) !== originOf(definition)) {
          return yield* invalid("server.url: headers are not sent elsewhere: give them again with the new address")
        }
        if (yield* isTaken(workspaceId, serverId, definition.name)) return yield* taken(definition.name)
        const id = toUuid(serverId)!
        // Tokens are for the address that they were asked for.
        if (urlOf(before) !== urlOf(definition)) {
          yield* sql`DELETE FROM mcp_authorizations WHERE server_id = ${id}`
          yield* sql`DELETE FROM mcp_logins WHERE server_id = ${id}`
        }
        if (secretChanged) {
          const secret = yield* seal(serverId, headers)
          yield* sql`
            UPDATE mcp_servers SET secret = ${secret}, secret_version = secret_version + 1 WHERE server_id = ${id}`
        }
        yield* sql`
          UPDATE mcp_servers SET name = ${definition.name}, definition = ${JSON.stringify(definition)}::json,
            updated_at = ${at}
          WHERE server_id = ${id}`
        const facts = { serverId, name: definition.name, digest: digestOf(definition), secretChanged }
        yield* note(workspaceId, actor, { _tag: "McpServerUpdated", ...facts })
        return yield* find(workspaceId, serverId)
      })
    )
  })

  /** Agents that would lose it: those in use whose newest version names it. */
  const usersOf = (workspaceId: WorkspaceId, serverId: McpServerId) =>
    sql<{ readonly name: string }>`
      SELECT v.definition ->> 'name' AS name
      FROM agents a JOIN agent_versions v ON v.agent_id = a.agent_id AND v.version = a.version,
        json_array_elements(v.definition -> 'mcp_servers') AS server
      WHERE a.workspace_id = ${toUuid(workspaceId)!} AND a.archived_at IS NULL AND server ->> 'server_id' = ${serverId}
      LIMIT 1`

  const remove = Effect.fn("McpServers.remove")(function* (serverId: McpServerId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* held(workspaceId, serverId)
        const [user] = yield* usersOf(workspaceId, serverId)
        if (user !== undefined) return yield* conflict(`The agent ${user.name.slice(0, 128)} uses this MCP server`)
        yield* sql`DELETE FROM mcp_servers WHERE server_id = ${toUuid(serverId)!}`
        yield* note(workspaceId, actor, { _tag: "McpServerDeleted", serverId })
      })
    )
  })

  const list: McpServers["Service"]["list"] = Effect.fn("McpServers.list")(function* (workspaceId, { after, limit }) {
    const below =
      after === null
        ? sql`true`
        : sql`(created_at, server_id) < (${after.createdAt}::bigint, ${toUuid(after.id) ?? null}::uuid)`
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM mcp_servers WHERE workspace_id = ${toUuid(workspaceId)!} AND ${below}
      ORDER BY created_at DESC, server_id DESC LIMIT ${limit}`
    return rows.map(shown)
  })

  return McpServers.of({ create, find, some, update, remove, held, list })
})
