import type { Session } from "@troupe/client"
import { Clock, Effect } from "effect"
import { Prompt } from "effect/cli"
import { ago } from "../app/time.ts"
import { usageTrouble } from "../app/Trouble.ts"
import type { Connection } from "../connection/Connection.ts"
import { clean } from "../terminal/clean.ts"
import { isTerminal } from "../terminal/TerminalConfig.ts"
import { cut } from "../terminal/width.ts"
import { noSession } from "./sessionId.ts"

const shownMax = 50
const titleMax = 50

const choiceOf =
  (now: number) =>
  ({ agent, id, status, title, updated_at }: Session) => ({
    title: `${cut(clean(title ?? id).replaceAll(/\s+/g, " "), titleMax)}  ${status}, ${clean(agent.name)}, ${ago(updated_at, now)}`,
    value: id
  })

/** Which session, by a person who chooses among the newest. */
export const pickSession = Effect.fnUntraced(function* ({ ask }: Connection) {
  if (!isTerminal()) return yield* usageTrouble("Which session?", "Name one by its id, or say last for the newest.")
  const { data } = yield* ask(({ sessions }) => sessions.list({ order: "desc", limit: shownMax }))
  if (data.length === 0) return yield* noSession
  const now = yield* Clock.currentTimeMillis
  return yield* Prompt.run(Prompt.AutoComplete({ message: "Which session?", choices: data.map(choiceOf(now)) }))
})
