import type { Troupe } from "@troupe/client"
import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { showCommand } from "../app/showCommand.ts"

const serversByName = {
  kind: "MCP server",
  command: "mcp",
  all: ({ mcpServers }: Troupe) => mcpServers.list({ limit: 100 }),
  one: ({ mcpServers }: Troupe, id: string) => mcpServers.retrieve(id)
}

const list = listCommand({
  about: "Lists the MCP servers of the workspace",
  items: serversByName.all,
  headings: ["SERVER", "NAME", "REACHED BY"],
  row: ({ id, name, server }) => [id, name, server.type === "url" ? server.url : server.command],
  none: "There is no MCP server."
})
const show = showCommand("Shows an MCP server; what its headers say is not shown", serversByName)

export const mcp = Command.make("mcp").pipe(
  Command.withDescription("MCP servers that agents may use"),
  Command.withSubcommands([list, show])
)
