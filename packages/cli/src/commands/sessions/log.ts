import type { LogEvent } from "@troupe/client"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Json } from "../../app/globals.ts"
import { connect } from "../../connection/Connection.ts"
import { columns } from "../../terminal/columns.ts"
import { logLine } from "../../session/logLine.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { say } from "../../up/Talk.ts"

export const log = Command.make(
  "log",
  {
    session: sessionArgument,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDefault(false),
      Flag.withDescription("Goes on with what comes, until Ctrl-C or until the session is deleted")
    ),
    after: Flag.Int("after").pipe(Flag.withDefault(0), Flag.withDescription("Begins behind this number")),
    type: Flag.String("type").pipe(Flag.optional, Flag.withDescription("Only events of this type"))
  },
  Effect.fnUntraced(function* ({ after, follow, session, type }) {
    const isJson = yield* Json
    const connection = yield* connect(follow ? "patient" : "hasty")
    const id = yield* sessionId(connection, session)
    let told = 0
    const tell = (event: LogEvent) => {
      told++
      process.stdout.write(`${isJson ? JSON.stringify(event) : logLine(event, columns())}\n`)
    }
    const types = Option.isSome(type) ? [type.value as LogEvent["type"]] : undefined
    yield* connection.ask(async ({ sessions }) => {
      const events = follow
        ? sessions.log.stream(id, { after, types })
        : sessions.log.list(id, { after, limit: 1_000, ...(types === undefined ? {} : { "types[]": types }) })
      for await (const event of events) tell(event)
    })
    if (told === 0 && Option.isSome(type)) yield* say(`No event of the type ${type.value} is in it.`)
  })
).pipe(Command.withDescription("Prints a session's log: everything that happened, in order"))
