import { Effect } from "effect"
import { Command } from "effect/cli"
import { confirmed, yesFlag } from "../../app/confirm.ts"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const remove = Command.make(
  "delete",
  { session: sessionArgument, yes: yesFlag },
  Effect.fnUntraced(function* ({ session, yes }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    if (!(yield* confirmed(yes, `Delete ${id} for good?`))) return
    const deleted = yield* connection.ask(({ sessions }) => sessions.delete(id))
    yield* printOne(deleted, () => `${id} is deleted.`)
  })
).pipe(Command.withDescription("Deletes a session for good"))
