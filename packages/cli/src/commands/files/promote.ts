import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const promote = Command.make(
  "promote",
  {
    session: sessionArgument,
    path: Argument.String("path").pipe(Argument.withDescription("The file, as the agent knows it")),
    name: Flag.String("name").pipe(Flag.optional, Flag.withDescription("What it is called then; else its own name"))
  },
  Effect.fnUntraced(function* ({ name, path, session }) {
    const connection = yield* connect("patient")
    const id = yield* sessionId(connection, session)
    const named = Option.match(name, { onNone: () => ({}), onSome: (filename) => ({ filename }) })
    const file = yield* connection.ask(({ sessions }) => sessions.files.promote(id, path, named))
    yield* printOne(file, ({ id }) => id)
  })
).pipe(Command.withDescription("Makes a file of one that is where a session works, and prints its id"))
