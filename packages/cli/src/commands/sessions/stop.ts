import { Effect } from "effect"
import { Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const stop = Command.make(
  "stop",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const sent = yield* connection.ask((troupe) => troupe.session(id).interrupt())
    yield* printOne(sent, () => `The turn of ${id} is interrupted.`)
  })
).pipe(Command.withDescription("Interrupts the turn that runs in a session"))
