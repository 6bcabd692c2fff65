import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { ourName } from "../../app/NameConfig.ts"

export const fork = Command.make(
  "fork",
  {
    session: sessionArgument,
    at: Flag.Int("at").pipe(
      Flag.optional,
      Flag.withDescription("After the event of this number; else where the log ends")
    ),
    title: Flag.String("title").pipe(Flag.optional, Flag.withDescription("What the new session is called"))
  },
  Effect.fnUntraced(function* ({ at, session, title }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const body = {
      ...(Option.isSome(at) ? { seq: at.value } : {}),
      ...(Option.isSome(title) ? { title: title.value } : {})
    }
    const made = yield* connection.ask(({ sessions }) => sessions.fork(id, body))
    yield* printOne(made, () => `${made.id} goes on from ${id}. Talk to it: ${ourName} attach ${made.id}`)
  })
).pipe(Command.withDescription("Makes a session that begins with what another one was"))
