import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { save } from "../../app/save.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const exported = Command.make(
  "export",
  {
    session: sessionArgument,
    to: Flag.String("to").pipe(Flag.optional, Flag.withDescription("The file to write; else standard output"))
  },
  Effect.fnUntraced(function* ({ session, to }) {
    const connection = yield* connect("patient")
    const id = yield* sessionId(connection, session)
    const response = yield* connection.ask(({ sessions }) => sessions.replay.export(id))
    yield* save(response, Option.getOrNull(to))
  })
).pipe(Command.withDescription("Writes a session as a bundle, which replay verify checks without a server"))
