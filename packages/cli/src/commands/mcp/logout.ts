import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { serverOf } from "./server.ts"

export const logout = Command.make(
  "logout",
  { server: Argument.String("server") },
  Effect.fnUntraced(function* ({ server: named }) {
    const connection = yield* connect()
    const { id, name } = yield* serverOf(connection, named)
    const authorization = yield* connection.ask(({ mcpServers }) => mcpServers.forgetAuthorization(id))
    yield* printOne(authorization, () => `Nobody is logged in to ${name} any more.`)
  })
).pipe(Command.withDescription("Forgets the login to an MCP server of the list, by its name or its id"))
