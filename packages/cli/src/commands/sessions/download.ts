import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { save } from "../../app/save.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const download = Command.make(
  "download",
  {
    session: sessionArgument,
    path: Argument.String("path").pipe(Argument.withDescription("The file, as the agent knows it")),
    to: Flag.String("to").pipe(Flag.optional, Flag.withDescription("The file to write; else standard output"))
  },
  Effect.fnUntraced(function* ({ path, session, to }) {
    const connection = yield* connect("patient")
    const id = yield* sessionId(connection, session)
    const response = yield* connection.ask(({ sessions }) => sessions.files.read(id, path))
    yield* save(response, Option.getOrNull(to))
  })
).pipe(Command.withDescription("Brings a file from where a session works"))
