import type { LogEvent, SessionHandle } from "@troupe/client"
import { sentence } from "../app/sentence.ts"
import { ourName } from "../app/NameConfig.ts"

const types = [
  "TurnWaiting",
  "TurnRescheduled",
  "AttemptStarted",
  "TurnCompleted",
  "TurnFailed",
  "TurnInterrupted"
] as const satisfies ReadonlyArray<LogEvent["type"]>

/** What passes sooner than anybody reads it is not told, and neither is what was, while a log is read from its beginning. */
const toldAfterMs = 1_000

/** Why a turn does not go on, and what can be done about it; null where it does. */
const hindranceIn = (event: LogEvent): string | null => {
  if (event.payload === null) return null
  if (event.type === "TurnWaiting") {
    return `It waits: ${sentence(event.payload.reason)}\n${ourName} runners list shows who could take it, ${ourName} doctor looks for the reason.`
  }
  if (event.type !== "TurnRescheduled") return null
  const { at, error, notBefore } = event.payload
  const seconds = Math.max(1, Math.round((notBefore - at) / 1_000))
  return `${sentence(error.message)}\nIt is tried again by itself in ${seconds} s.`
}

/** Tells why the session's work does not go on, once it has not for a moment; null once it does. */
export const followHindrances = (session: SessionHandle, tell: (hindrance: string | null) => void): Disposable => {
  const ended = new AbortController()
  let told: string | null = null
  let timer: NodeJS.Timeout | undefined
  const change = (hindrance: string | null) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (hindrance === told) return
      told = hindrance
      tell(hindrance)
    }, toldAfterMs)
  }
  const follow = async () => {
    for await (const event of session.followLog({ types, signal: ended.signal })) change(hindranceIn(event))
  }
  // What is in the way of this is in the way of following the session, and told there.
  follow().catch(() => undefined)
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      ended.abort()
    }
  }
}
