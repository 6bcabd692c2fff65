import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { Json } from "../../app/globals.ts"
import { print, printList } from "../../app/output.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

/** Which events are meant; null where that can't be read. */
const placesOf = (from: string, to: string | null): { readonly from: number; readonly to?: number } | null => {
  const [, first, last = to] = /^(\d+)(?:\.\.(\d+))?$/.exec(from) ?? []
  if (first === undefined || (last !== null && !/^\d+$/.test(last))) return null
  return { from: Number(first), ...(last === null ? {} : { to: Number(last) }) }
}

export const diff = Command.make(
  "diff",
  {
    session: sessionArgument,
    from: Argument.String("from").pipe(Argument.withDescription("The event before, or N..M for both")),
    to: Argument.String("to").pipe(Argument.optional, Argument.withDescription("Now, where it is not said"))
  },
  Effect.fnUntraced(function* ({ from, session, to }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const query = placesOf(from, Option.getOrNull(to))
    if (query === null) return yield* usageTrouble("Places in the log are numbers.", "Say two: N M, or N..M; or one: N")
    const found = yield* connection.ask(({ sessions }) => sessions.replay.diff(id, query))
    if (yield* Json) return yield* print(JSON.stringify(found))
    yield* printList(found.patch, {
      headings: ["WHAT", "WHERE", "VALUE"],
      row: ({ op, path, value }) => [String(op), String(path), value === undefined ? null : JSON.stringify(value)],
      none: `Nothing is different between ${found.from} and ${found.to}.`
    })
  })
).pipe(Command.withDescription("Says what changed in a session between two events"))
