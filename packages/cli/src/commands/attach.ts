import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { talk } from "../chat/talk.ts"
import { connect } from "../connection/Connection.ts"
import { pickSession } from "../session/pickSession.ts"
import { sessionArgument, sessionId } from "../session/sessionId.ts"

export const attach = Command.make(
  "attach",
  { session: Argument.optional(sessionArgument) },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect("patient")
    const id = Option.isSome(session) ? yield* sessionId(connection, session.value) : yield* pickSession(connection)
    // Where nobody types, nothing else would ask for it.
    yield* connection.ask(({ sessions }) => sessions.retrieve(id))
    yield* talk(connection, id, null)
  })
).pipe(
  Command.withDescription(
    "Comes to a session that is there: what was said, then what happens, with all of chat. Without one that is named, it is chosen among the newest."
  )
)
