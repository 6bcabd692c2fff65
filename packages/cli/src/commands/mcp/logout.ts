import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { findNamed } from "../../app/named.ts"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { serversByName } from "./serversByName.ts"

export const logout = Command.make(
  "logout",
  { server: Argument.String("MCP server").pipe(Argument.withDescription("Its id or its name")) },
  Effect.fnUntraced(function* ({ server: named }) {
    const connection = yield* connect()
    const { id, name } = yield* connection.ask((troupe) => findNamed(troupe, serversByName, named))
    const authorization = yield* connection.ask(({ mcpServers }) => mcpServers.forgetAuthorization(id))
    yield* printOne(authorization, () => `Nobody is logged in to ${name} any more.`)
  })
).pipe(Command.withDescription("Forgets the login to an MCP server of the list"))
