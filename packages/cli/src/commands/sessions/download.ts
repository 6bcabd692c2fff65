import { NotFoundError } from "@troupe/client"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { save } from "../../app/save.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { Trouble } from "../../app/Trouble.ts"
import { exitCodes } from "../../app/exitCodes.ts"
import { ourName } from "../../app/NameConfig.ts"

/** The session is there, and its working copy has nothing of that name. */
const isMissing = (error: unknown) => error instanceof NotFoundError && error.message.endsWith(": NotFound")

const noFile = (id: string, path: string) =>
  new Trouble({
    what: `${id} has no file ${path}.`,
    advice: `${ourName} sessions changes ${id} --json names those that it changed.`,
    code: exitCodes.refused
  })

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
    const response = yield* connection.ask(({ sessions }) =>
      sessions.files.read(id, path).then(
        (found) => found,
        (error: unknown) => Promise.reject(isMissing(error) ? noFile(id, path) : error)
      )
    )
    yield* save(response, Option.getOrNull(to))
  })
).pipe(Command.withDescription("Brings a file from where a session works"))
