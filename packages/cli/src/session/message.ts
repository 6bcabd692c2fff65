import { Argument } from "effect/cli"
import { Effect } from "effect"
import { text as readAll } from "node:stream/consumers"
import { usageTrouble } from "../app/Trouble.ts"

export const messageArgument = Argument.String("message").pipe(
  Argument.withDescription("What is to be done, in one argument; - reads it from standard input")
)

/** What was said, on the command line or through a pipe. */
export const messageOf = Effect.fnUntraced(function* (given: string) {
  const message = given === "-" ? yield* Effect.promise(() => readAll(process.stdin)) : given
  if (message.trim() === "")
    return yield* usageTrouble("The message is empty.", "Say in one argument what is to be done.")
  return message
})
