import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { findMentioned } from "../attachments/findMentioned.ts"
import { isIsolated } from "../connection/ConnectionConfig.ts"
import { connectOrStart } from "../connection/startIfNeeded.ts"
import { talk } from "../chat/talk.ts"
import { begin } from "../session/begin.ts"
import { wantedFlags } from "../session/wantedFlags.ts"

export const chat = Command.make(
  "chat",
  {
    message: Argument.String("message").pipe(Argument.optional, Argument.withDescription("What to begin with")),
    ...wantedFlags
  },
  Effect.fnUntraced(function* ({ message, ...flags }) {
    const first = Option.getOrNull(message)
    yield* findMentioned(first ?? "")
    const { connection, given } = yield* connectOrStart
    const isTrusted = flags.yes || !connection.server.isOurs || isIsolated(given)
    const session = yield* connection.ask((troupe) =>
      begin(troupe, flags, { isTrusted, message: first, say: (text) => void process.stderr.write(`${text}\n`) })
    )
    yield* talk(connection, session, first, flags.cwd)
  })
).pipe(
  Command.withShortDescription("Talks to an agent"),
  Command.withDescription(
    "Talks to an agent in this terminal. Troupe is started in the background where it does not run. Esc interrupts, what is typed " +
      "while work goes on waits for its turn, /help says the rest. Without a terminal, each line of standard input is said."
  )
)
