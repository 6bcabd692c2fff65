import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { McpServerId, RunnerId } from "../Ids.ts"
import { McpListing } from "../runner/McpProbed.ts"
import { anyFailure } from "./ApiError.ts"

/** What an MCP server of the list has, as a runner of the workspace finds it now. Nothing of it is kept. */
export const McpProbe = Schema.Struct({
  type: Schema.Literal("mcp_probe"),
  server_id: McpServerId,
  /** `login_required`: the server wants other credentials. `not_probed`: nobody could be asked. */
  status: Schema.Literals(["usable", "login_required", "unusable", "not_probed"]),
  reason: Schema.NullOr(Schema.String),
  /** Who asked it. */
  runner_id: Schema.NullOr(RunnerId),
  ...McpListing.fields
}).annotate({ identifier: "McpProbe" })
export type McpProbe = typeof McpProbe.Type

export const probe = HttpApiEndpoint.post("probeMcpServer", "/v1/mcp_servers/:id/probe", {
  params: { id: McpServerId },
  success: McpProbe,
  error: anyFailure
})

export const group = HttpApiGroup.make("mcp_probes").add(probe)
