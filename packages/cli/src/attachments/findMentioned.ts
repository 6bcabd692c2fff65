import { Effect } from "effect"
import { Trouble } from "../app/Trouble.ts"
import { failureOfFile } from "../connection/failure.ts"
import { Unattachable } from "./Unattachable.ts"
import { mentionedIn } from "./withAttachments.ts"

/** The files that a message names, before a server is looked for, or started for nothing. */
export const findMentioned = (message: string) =>
  Effect.try({
    try: () => mentionedIn(message),
    catch: (error) => {
      if (!(error instanceof Unattachable)) throw error
      return new Trouble(failureOfFile(error))
    }
  })
