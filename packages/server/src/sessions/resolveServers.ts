import { invalid } from "@troupe/domain/api/ApiError"
import { registeredServers } from "@troupe/domain/api/compat/agentTools"
import type { McpOptions, McpServer } from "@troupe/domain/api/McpServers"
import type { WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect } from "effect"
import { McpServers } from "../mcpservers/McpServers.ts"

/** As runners read it. The id says whose headers go with it, and only where its URL still is the one of the list. */
export const entryOf = (name: string, { id, options, server }: McpServer): JsonObject => ({
  ...(server as unknown as JsonObject),
  name,
  troupe: { ...options, server_id: id } as unknown as JsonObject
})

const withoutSampling = (entry: JsonObject): JsonObject => {
  const options = entry["troupe"] as (McpOptions & JsonObject) | undefined
  return options?.sampling === true ? { ...entry, troupe: { ...options, sampling: false } } : entry
}

/** The servers of an agent, with those of the workspace's list as they are now. */
export const resolveServers = Effect.fnUntraced(function* (
  workspaceId: WorkspaceId,
  servers: ReadonlyArray<JsonObject>,
  { sampling }: { readonly sampling: boolean }
) {
  const named = registeredServers(servers)
  const registry = yield* McpServers
  const known = yield* registry.some(
    workspaceId,
    named.map(({ serverId }) => serverId)
  )
  const missing = named.find(({ serverId }) => !known.has(serverId))
  if (missing !== undefined) {
    return yield* invalid(`mcp_servers.${missing.at}.server_id: there is no MCP server ${missing.serverId}`)
  }
  const resolved = servers.map((server) =>
    server["type"] === "registered" ? entryOf(String(server["name"]), known.get(String(server["server_id"]))!) : server
  )
  return sampling ? resolved : resolved.map(withoutSampling)
})
