import { Effect } from "effect"
import { leaveWith } from "../app/output.ts"
import { exitCodes } from "../app/Trouble.ts"
import { type Connection, connectTo } from "../connection/Connection.ts"
import { interactive } from "./interactive.ts"
import { plain } from "./plain.ts"

const codes = {
  Completed: 0,
  Failed: exitCodes.failed,
  Waits: exitCodes.waits,
  BudgetReached: exitCodes.budget,
  Interrupted: exitCodes.interrupted
} as const

/** Talks in the terminal, or where there is none in lines. */
export const talk = Effect.fnUntraced(function* (connection: Connection, sessionId: string, first: string | null) {
  if (process.stdin.isTTY === true && process.stdout.isTTY === true) {
    yield* connection.ask(() =>
      interactive((onTrouble) => connectTo(connection.server, "patient", onTrouble), sessionId, first)
    )
    return
  }
  yield* leaveWith(codes[yield* connection.ask((troupe) => plain(troupe.session(sessionId), first))])
})
