import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { McpServer, McpServerCreate, McpServerDeleted, McpServerListQuery, McpServerUpdate } from "../types/api.ts"
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
}
