import { Argument } from "effect/cli"
import { Effect } from "effect"
import { text as readAll } from "node:stream/consumers"
import { usageTrouble } from "../app/Trouble.ts"

export const messageArgument = Argument.String("message").pipe(
  Argument.withDescription("What is to be done, in one argument; - reads it from standard input")
)

/** What comes through a pipe besides, such as a log that is asked about. */
export const besidesArgument = Argument.Literals("-", ["-"]).pipe(
  Argument.optional,
  Argument.withDescription("Adds standard input below the message")
)

/** What was said, on the command line, through a pipe, or on one and below it through the other. */
export const messageOf = Effect.fnUntraced(function* (given: string, hasMore = false) {
  const piped = hasMore || given === "-" ? yield* Effect.promise(() => readAll(process.stdin)) : ""
  const message = given === "-" ? piped : hasMore ? `${given}\n\n${piped}` : given
  if (message.trim() === "")
    return yield* usageTrouble("The message is empty.", "Say in one argument what is to be done.")
  return message
})
