import { Effect } from "effect"
import { Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { story } from "../../session/story.ts"

export const show = Command.make(
  "show",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const found = yield* connection.ask((troupe) => troupe.session(id).timeline())
    yield* printOne(found, ({ timeline }) => story(timeline) || "Nothing was asked of this session yet.")
  })
).pipe(Command.withDescription("Tells what happened in a session, with the numbers of its events"))
