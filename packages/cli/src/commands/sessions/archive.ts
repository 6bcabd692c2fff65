import { Effect } from "effect"
import { Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const archive = Command.make(
  "archive",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const archived = yield* connection.ask(({ sessions }) => sessions.archive(id))
    yield* printOne(archived, () => `${id} is archived: it can be read, and takes nothing more.`)
  })
).pipe(Command.withDescription("Archives a session: it can be read, and takes nothing more"))
