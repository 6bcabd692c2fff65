import { Argument } from "effect/cli"
import { Effect } from "effect"
import type { Connection } from "../connection/Connection.ts"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble } from "../app/Trouble.ts"
import { ourName } from "../app/NameConfig.ts"

/** Which session: by its id, or `last` for the one that was made last. */
export const sessionArgument = Argument.String("session").pipe(
  Argument.withDescription("A session's id, or last for the newest one")
)

export const sessionId = Effect.fnUntraced(function* ({ ask }: Connection, named: string) {
  if (named !== "last") return /^sesn_\w{24}$/.test(named) ? named : yield* notOne(named)
  const { data } = yield* ask(({ sessions }) => sessions.list({ order: "desc", limit: 1 }))
  return data[0]?.id ?? (yield* noSession)
})

const notOne = (named: string) =>
  new Trouble({
    what: `${named} is no session.`,
    advice: `${ourName} sessions list shows those there are; last is the newest.`,
    code: exitCodes.refused
  })

export const noSession = new Trouble({
  what: "There is no session yet.",
  advice: `Begin one: ${ourName} run "…", or ${ourName} chat`,
  code: exitCodes.refused
})
