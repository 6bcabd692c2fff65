import type { Troupe } from "@troupe/client"

export const serversByName = {
  kind: "MCP server",
  command: "mcp",
  all: ({ mcpServers }: Troupe) => mcpServers.list({ limit: 100 }),
  one: ({ mcpServers }: Troupe, id: string) => mcpServers.retrieve(id)
}
