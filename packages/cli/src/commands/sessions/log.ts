import type { LogEvent } from "@troupe/client"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { nearest } from "../../app/nearest.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { Json } from "../../app/globals.ts"
import { connect } from "../../connection/Connection.ts"
import { columns } from "../../terminal/columns.ts"
import { logLine } from "../../session/logLine.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { say } from "../../up/Talk.ts"

const names = Object.keys(SessionEvent.cases) as ReadonlyArray<LogEvent["type"]>

/** The type of events that is meant, as it is written or nearly so. */
const typeOf = (given: string) => {
  const name = names.find((one) => one === given)
  if (name !== undefined) return Effect.succeed(name)
  const near = nearest(given, names)
  const advice = near.length === 0 ? "Without --type, all are printed with their names." : `Nearest: ${near.join(", ")}`
  return Effect.fail(usageTrouble(`There is no event of the type ${given}.`, advice))
}

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
    const wanted = Option.isSome(type) ? yield* typeOf(type.value) : null
    const connection = yield* connect(follow ? "patient" : "hasty")
    const id = yield* sessionId(connection, session)
    let told = 0
    const tell = (event: LogEvent) => {
      told++
      process.stdout.write(`${isJson ? JSON.stringify(event) : logLine(event, columns())}\n`)
    }
    const types = wanted === null ? undefined : [wanted]
    yield* connection.ask(async ({ sessions }) => {
      const events = follow
        ? sessions.log.stream(id, { after, types })
        : sessions.log.list(id, { after, limit: 1_000, ...(types === undefined ? {} : { "types[]": types }) })
      for await (const event of events) tell(event)
    })
    if (told === 0 && wanted !== null) yield* say(`No event of the type ${wanted} is in it.`)
  })
).pipe(Command.withDescription("Prints a session's log: everything that happened, in order"))
