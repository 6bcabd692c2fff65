import type { SessionRedaction } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { confirmed, yesFlag } from "../../app/confirm.ts"
import { printOne } from "../../app/output.ts"
import { ourName } from "../../app/NameConfig.ts"
import { usageTrouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

const inWords = ({ applied, forks, seqs }: SessionRedaction) =>
  [
    applied
      ? `The content of ${seqs.join(", ")} is gone, and of what said the same.`
      : `The content of ${seqs.join(", ")} goes as soon as that can be done.`,
    ...forks.map((fork) => `${fork} was forked after it and has a copy: redact that too.`)
  ].join("\n")

export const redact = Command.make(
  "redact",
  {
    session: sessionArgument,
    events: Argument.String("event").pipe(
      Argument.variadic({ min: 1 }),
      Argument.withDescription(
        "Numbers of events, or ids: of a message, an answer or a call for all that is said of it"
      )
    ),
    reason: Flag.String("reason").pipe(Flag.withDescription("Why. It stays in the log")),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ events, reason, session, yes }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const ids = yield* Effect.forEach(
      events,
      Effect.fnUntraced(function* (event) {
        if (!/^\d+$/.test(event)) return event
        const after = Number(event) - 1
        const { data } = yield* connection.ask(({ sessions }) =>
          sessions.log.list(id, { after: Math.max(0, after), limit: 1 })
        )
        const [found] = data
        return found?.seq === after + 1
          ? found.id
          : yield* usageTrouble(
              `The log has no event ${event}.`,
              `Say one that it has: ${ourName} replay show tells them`
            )
      })
    )
    if (!(yield* confirmed(yes, `Take the content of ${events.join(", ")} out of ${id} for good?`))) return
    const redaction = yield* connection.ask(({ sessions }) => sessions.redact(id, { events: ids, reason }))
    yield* printOne(redaction, inWords)
  })
).pipe(Command.withDescription("Takes the content of events out of a session for good; its proof stays"))
