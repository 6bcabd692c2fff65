import { Effect } from "effect"
import { Command } from "effect/cli"
import { talk } from "../chat/talk.ts"
import { connect } from "../connection/Connection.ts"
import { sessionArgument, sessionId } from "../session/sessionId.ts"

export const attach = Command.make(
  "attach",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect("patient")
    yield* talk(connection, yield* sessionId(connection, session), null)
  })
).pipe(Command.withDescription("Comes to a session that is there: what was said, then what happens, with all of chat"))
