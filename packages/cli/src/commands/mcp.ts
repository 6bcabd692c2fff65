import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { showCommand } from "../app/showCommand.ts"
import { login } from "./mcp/login.ts"
import { logout } from "./mcp/logout.ts"

const list = listCommand({
  about: "Lists the MCP servers of the workspace",
  items: ({ mcpServers }) => mcpServers.list({ limit: 100 }),
  headings: ["SERVER", "NAME", "LOGIN", "REACHED BY"],
  row: ({ authorization, id, name, server }) => [
    id,
    name,
    authorization,
    server.type === "url" ? server.url : server.command
  ],
  none: "There is no MCP server."
})
const show = showCommand("Shows an MCP server; what its headers say is not shown", ({ mcpServers }, id) =>
  mcpServers.retrieve(id)
)

export const mcp = Command.make("mcp").pipe(
  Command.withDescription("MCP servers that agents may use"),
  Command.withSubcommands([list, show, login, logout])
)
