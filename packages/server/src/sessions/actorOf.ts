import type { Actor } from "@troupe/domain/Actor"
import { refuse } from "@troupe/domain/api/ApiError"
import { unreadableCode } from "./SessionCalls.ts"

/** Who caused an event. Refuses one that is no JSON: nobody is named in its place. */
export const actorOf = ({ actorText, seq }: { readonly actorText: string; readonly seq: number }): Actor => {
  try {
    return JSON.parse(actorText) as Actor
  } catch {
    return refuse(`The log can't be read at ${seq}: its actor is not JSON`, unreadableCode)
  }
}
