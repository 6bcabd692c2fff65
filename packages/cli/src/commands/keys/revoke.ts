import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"

export const revoke = Command.make(
  "revoke",
  { id: Argument.String("id") },
  Effect.fnUntraced(function* ({ id }) {
    const { ask } = yield* connect()
    const revoked = yield* ask(({ tokens }) => tokens.revoke(id))
    yield* printOne(revoked, () => `${id} opens nothing any more.`)
  })
).pipe(Command.withDescription("Revokes a key or a token, by its id"))
