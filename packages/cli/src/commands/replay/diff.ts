import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { Json } from "../../app/globals.ts"
import { print, printList } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

export const diff = Command.make(
  "diff",
  {
    session: sessionArgument,
    from: Argument.Int("from"),
    to: Argument.Int("to").pipe(Argument.optional, Argument.withDescription("Now, where it is not said"))
  },
  Effect.fnUntraced(function* ({ from, session, to }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const query = { from, ...(Option.isSome(to) ? { to: to.value } : {}) }
    const found = yield* connection.ask(({ sessions }) => sessions.replay.diff(id, query))
    if (yield* Json) return yield* print(JSON.stringify(found))
    yield* printList(found.patch, {
      headings: ["WHAT", "WHERE", "VALUE"],
      row: ({ op, path, value }) => [String(op), String(path), value === undefined ? null : JSON.stringify(value)],
      none: `Nothing is different between ${found.from} and ${found.to}.`
    })
  })
).pipe(Command.withDescription("Says what changed in a session between two events"))
