import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { showCommand } from "../app/showCommand.ts"
import { login } from "./mcp/login.ts"
import { logout } from "./mcp/logout.ts"
import { serversByName } from "./mcp/serversByName.ts"

const list = listCommand({
  about: "Lists the MCP servers of the workspace",
  items: serversByName.all,
  headings: ["SERVER", "NAME", "LOGIN", "REACHED BY"],
  row: ({ authorization, id, name, server }) => [
    id,
    name,
    authorization,
    server.type === "url" ? server.url : server.command
  ],
  none: "There is no MCP server."
})
const show = showCommand("Shows an MCP server; what its headers say is not shown", serversByName)

export const mcp = Command.make("mcp").pipe(
  Command.withDescription("MCP servers that agents may use"),
  Command.withSubcommands([list, show, login, logout])
)
