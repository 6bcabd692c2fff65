import { Effect } from "effect"
import { usageTrouble } from "../../app/Trouble.ts"
import type { Connection } from "../../connection/Connection.ts"

/** The server of the workspace's list that is meant, by its id or its name. */
export const serverOf = Effect.fnUntraced(function* ({ ask }: Connection, named: string) {
  if (named.startsWith("mcpsrv_")) return yield* ask(({ mcpServers }) => mcpServers.retrieve(named))
  const found = yield* ask(async ({ mcpServers }) => {
    for await (const server of mcpServers.list({ limit: 100 })) if (server.name === named) return server
    return null
  })
  return found ?? (yield* usageTrouble(`There is no MCP server ${named}. \`troupe mcp list\` says which there are.`))
})
