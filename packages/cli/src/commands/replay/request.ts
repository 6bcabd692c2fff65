import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const request = Command.make(
  "request",
  {
    session: sessionArgument,
    request: Argument.String("request").pipe(Argument.withDescription("The id of a request to a model, mreq_…"))
  },
  Effect.fnUntraced(function* ({ request: asked, session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const found = yield* connection.ask(({ sessions }) => sessions.replay.modelRequest(id, asked))
    yield* printOne(found, (one) => JSON.stringify(one, null, 2))
  })
).pipe(Command.withDescription("Prints what a model was sent and what it answered, where the agent has that kept"))
