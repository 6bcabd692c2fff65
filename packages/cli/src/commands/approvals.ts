import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { ago } from "../app/time.ts"
import { inputLine } from "../session/toolLine.ts"
import { allow } from "./approvals/allow.ts"
import { deny } from "./approvals/deny.ts"

const list = listCommand({
  about: "Lists the calls of all sessions that wait to be allowed",
  items: ({ approvals }) => approvals.list({ limit: 100 }),
  headings: ["CALL", "SESSION", "TOOL", "ASKED", "INPUT"],
  row: ({ asked_at, id, input, session_id, tool }, now) => [id, session_id, tool, ago(asked_at, now), inputLine(input)],
  none: "Nothing waits to be allowed."
})

export const approvals = Command.make("approvals").pipe(
  Command.withDescription("Calls that wait to be allowed, in all sessions"),
  Command.withSubcommands([list, allow, deny])
)
