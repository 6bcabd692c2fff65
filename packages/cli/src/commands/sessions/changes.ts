import { Effect } from "effect"
import { Command } from "effect/cli"
import { Json } from "../../app/globals.ts"
import { print } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { say } from "../../up/Talk.ts"
import { changesOf } from "../../workingcopy/changesOf.ts"
import { patchOfAll } from "../../workingcopy/patch.ts"
import { ourName } from "../../app/NameConfig.ts"

const shownMax = 20

export const changes = Command.make(
  "changes",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const isJson = yield* Json
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const { data, truncated } = yield* connection.ask((troupe) => changesOf(troupe, id))
    if (isJson) for (const change of data) yield* print(JSON.stringify(change))
    const { leftOut, text } = patchOfAll(data)
    if (!isJson) yield* Effect.sync(() => void process.stdout.write(text))
    if (truncated) yield* say("There are more changes than these.")
    if (isJson || (leftOut.length === 0 && text !== "")) return
    if (leftOut.length === 0) return yield* say("Nothing is different.")
    const more = leftOut.length > shownMax ? ` and ${leftOut.length - shownMax} more` : ""
    yield* say(
      `Different too, and not to be said in a patch: ${leftOut.slice(0, shownMax).join(", ")}${more}.\n` +
        `${ourName} sessions download ${id} PATH brings one.`
    )
  })
).pipe(
  Command.withShortDescription("Prints what a session changed, as a patch"),
  Command.withDescription(
    "Prints as a patch what a session changed of the files that it began with, or all that it made where it began with none: " +
      `${ourName} sessions changes last | git apply`
  )
)
