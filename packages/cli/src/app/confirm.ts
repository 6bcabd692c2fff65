import { Effect } from "effect"
import { Flag, Prompt } from "effect/cli"
import { usageTrouble } from "./Trouble.ts"

export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDefault(false),
  Flag.withDescription("Does not ask first")
)

/** Asks before what can't be undone. Where nobody can be asked, it has to be said beforehand. */
export const confirmed = Effect.fnUntraced(function* (isSaid: boolean, question: string) {
  if (isSaid) return true
  if (process.stdin.isTTY !== true) return yield* usageTrouble(question, "Say --yes if you mean it.")
  return yield* Prompt.run(Prompt.Confirm({ message: question }))
})
