import { ApiError, type Troupe } from "@troupe/client"
import { changesOf } from "./changesOf.ts"
import { ownChanges } from "./patch.ts"
import { ourName } from "../app/NameConfig.ts"

/** Says whether a session changed anything of what it was given, and how that is had back. */
export const tellChanges = async (troupe: Troupe, sessionId: string, say: (text: string) => void): Promise<void> => {
  const found = await changesOf(troupe, sessionId).catch((error: unknown) => {
    // Of one whose work did not begin, there is nothing to be told.
    if (error instanceof ApiError) return null
    throw error
  })
  if (found === null) return
  const { length } = ownChanges(found.data)
  if (length === 0) return say("It changed no file.")
  say(
    `It changed ${length} file${length === 1 ? "" : "s"}. To have that here: ${ourName} sessions changes ${sessionId} | git apply`
  )
}
