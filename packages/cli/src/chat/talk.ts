import { Effect, Redacted } from "effect"
import { Json } from "../app/globals.ts"
import { leaveWith } from "../app/output.ts"
import { exitCodes } from "../app/exitCodes.ts"
import type { Connection } from "../connection/Connection.ts"
import { tellChanges } from "../workingcopy/tellChanges.ts"
import { plain } from "./plain.ts"
import { Talking } from "./Talking.ts"
import { isTerminal } from "../terminal/TerminalConfig.ts"

const codes = {
  Completed: 0,
  Failed: exitCodes.failed,
  Waits: exitCodes.waits,
  BudgetReached: exitCodes.budget,
  Interrupted: exitCodes.interrupted
} as const

const sayTo = (text: string) => void process.stderr.write(`${text}\n`)

/** Talks in the terminal, or where there is none in lines. */
export const talk = Effect.fnUntraced(function* (
  connection: Connection,
  sessionId: string,
  first: string | null,
  isOnCopy = false
) {
  const isJson = yield* Json
  if (isTerminal() && !isJson) {
    const hold = yield* Talking
    const { isOurs, key, url } = connection.server
    const wanted = { url, isOurs, key: Redacted.value(key), session: sessionId, first, isOnCopy }
    return yield* leaveWith(yield* connection.ask(() => hold(wanted)))
  }
  const outcome = yield* connection.ask((troupe) => plain(troupe, sessionId, first, isJson))
  if (isOnCopy) yield* connection.ask((troupe) => tellChanges(troupe, sessionId, sayTo))
  yield* leaveWith(codes[outcome])
})
