import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

/** A command about one turn, which answers the queue that it leaves. */
export const turnCommand = (name: "steer" | "withdraw" | "approve" | "retry", about: string, says: string) =>
  Command.make(
    name,
    { session: sessionArgument, turn: Argument.String("turn") },
    Effect.fnUntraced(function* ({ session, turn }) {
      const connection = yield* connect()
      const id = yield* sessionId(connection, session)
      const queue = yield* connection.ask(({ sessions }) => sessions.turns[name](id, turn))
      yield* printOne(queue, () => `${turn} ${says}.`)
    })
  ).pipe(Command.withDescription(about))
