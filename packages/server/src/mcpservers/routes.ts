import * as Api from "@troupe/domain/api/McpServers"
import * as Probes from "@troupe/domain/api/McpProbes"
import { Effect, Layer } from "effect"
import { pageOf } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { sealing } from "../secrets/sealing.ts"
import { McpServers } from "./McpServers.ts"
import { probeServer } from "./probeServer.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.flatMap(McpServers, (servers) =>
    pageOf("mcp_servers", query, (options) => servers.list(caller.workspaceId, options))
  )
)
const create = route(Api.create, "admin", ({ payload }) =>
  sealing(Effect.flatMap(McpServers, (servers) => servers.create(payload)))
)
const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(McpServers, (servers) => servers.find(caller.workspaceId, params.id))
)
const updated = ({ params, payload }: Asked<typeof Api.update>) =>
  sealing(Effect.flatMap(McpServers, (servers) => servers.update(params.id, payload)))
const update = Layer.merge(route(Api.update, "admin", updated), route(Api.update, "admin", updated, { method: "PUT" }))
const remove = route(Api.remove, "admin", ({ params }) =>
  Effect.flatMap(McpServers, (servers) =>
    Effect.as(servers.remove(params.id), { id: params.id, type: "mcp_server_deleted" as const })
  )
)

/** A server's own words, of now: an answer that was kept would be of before. */
const probe = route(
  Probes.probe,
  "write",
  ({ caller, params }) =>
    Effect.flatMap(McpServers, (servers) => Effect.flatMap(servers.find(caller.workspaceId, params.id), probeServer)),
  { isMadeAnew: true }
)

export const routes = Layer.mergeAll(list, create, retrieve, update, probe, remove)
