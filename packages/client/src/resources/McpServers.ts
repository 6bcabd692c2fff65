import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  McpAuthorization,
  McpAuthorizationBegun,
  McpAuthorize,
  McpProbe,
  McpServer,
  McpServerCreate,
  McpServerDeleted,
  McpServerListQuery,
  McpServerUpdate
} from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** MCP servers that agents may name by their ids. */
export class McpServers extends Resource {
  create(body: McpServerCreate, options?: CallOptions): Call<McpServer> {
    return this.post("/v1/mcp_servers", body, options)
  }

  list(query?: McpServerListQuery, options?: CallOptions): Pages<McpServer> {
    return list(this.transport, "/v1/mcp_servers", query, options)
  }

  retrieve(mcpServerId: string, options?: CallOptions): Call<McpServer> {
    return this.get(path`/v1/mcp_servers/${mcpServerId}`, {}, options)
  }

  update(mcpServerId: string, body: McpServerUpdate, options?: CallOptions): Call<McpServer> {
    return this.post(path`/v1/mcp_servers/${mcpServerId}`, body, options)
  }

  delete(mcpServerId: string, options?: CallOptions): Call<McpServerDeleted> {
    return this.remove(path`/v1/mcp_servers/${mcpServerId}`, options)
  }

  /** What the server has, as a runner finds it now. */
  probe(mcpServerId: string, options?: CallOptions): Call<McpProbe> {
    return this.post(path`/v1/mcp_servers/${mcpServerId}/probe`, undefined, options)
  }

  /** Begins a login. Somebody opens its `authorization_url`; where that is null, nobody has to. */
  authorize(mcpServerId: string, body: McpAuthorize = {}, options?: CallOptions): Call<McpAuthorizationBegun> {
    return this.post(path`/v1/mcp_servers/${mcpServerId}/authorize`, body, options)
  }

  /** Whether the server lets the workspace in. */
  authorization(mcpServerId: string, options?: CallOptions): Call<McpAuthorization> {
    return this.get(path`/v1/mcp_servers/${mcpServerId}/authorization`, {}, options)
  }

  /** Forgets the tokens that a login brought. */
  forgetAuthorization(mcpServerId: string, options?: CallOptions): Call<McpAuthorization> {
    return this.remove(path`/v1/mcp_servers/${mcpServerId}/authorization`, options)
  }
}
