import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { revoke } from "./runners/revoke.ts"
import { token } from "./runners/token.ts"
import { tokens } from "./runners/tokens.ts"
import { ourName } from "../app/NameConfig.ts"

const list = listCommand({
  about: "Lists runners, and what each can do",
  items: ({ runners }) => runners.list({ limit: 100 }),
  headings: ["RUNNER", "NAME", "STATUS", "ATTEMPTS", "SESSIONS", "HARNESSES", "SANDBOXES"],
  row: ({ attempts, draining, harnesses, id, name, sandboxes, sessions, status }) => [
    id,
    name,
    draining ? "draining" : status,
    attempts,
    sessions,
    harnesses.join(","),
    sandboxes.join(",")
  ],
  none: `No runner has registered. ${ourName} runners token makes a token for one; ${ourName} runner starts it.`
})

export const runners = Command.make("runners").pipe(
  Command.withDescription("Processes that do the work of sessions"),
  Command.withSubcommands([list, token, tokens, revoke])
)
