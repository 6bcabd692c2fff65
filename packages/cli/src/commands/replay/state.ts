import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const state = Command.make(
  "state",
  {
    session: sessionArgument,
    seq: Argument.Int("seq").pipe(
      Argument.optional,
      Argument.withDescription("After the event of this number; else now")
    )
  },
  Effect.fnUntraced(function* ({ seq, session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const query = Option.isSome(seq) ? { at: seq.value } : {}
    const found = yield* connection.ask(({ sessions }) => sessions.replay.state(id, query))
    yield* printOne(found, (one) => JSON.stringify(one.state, null, 2))
  })
).pipe(Command.withDescription("Prints what a session was after an event"))
