import type { Session } from "@troupe/client"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { limitOf } from "../../app/listCommand.ts"
import { dollars } from "../../app/money.ts"
import { printList } from "../../app/output.ts"
import { ago } from "../../app/time.ts"
import { connect, take } from "../../connection/Connection.ts"
import { ourName } from "../../app/NameConfig.ts"

const statuses = ["idle", "running", "rescheduling", "terminated"] as const

const row = ({ agent, id, status, title, updated_at, usage }: Session, now: number) => [
  id,
  status,
  agent.name,
  dollars(usage.list_cost),
  ago(updated_at, now),
  title
]

export const list = Command.make(
  "list",
  {
    status: Flag.Literals("status", statuses).pipe(
      Flag.withDescription("Only those with this status; may be given several times"),
      Flag.atLeast(0)
    ),
    agent: Flag.String("agent").pipe(Flag.optional, Flag.withDescription("Only those of this agent, by its id")),
    archived: Flag.Boolean("archived").pipe(Flag.withDefault(false), Flag.withDescription("Also archived ones")),
    limit: limitOf(20)
  },
  Effect.fnUntraced(function* ({ agent, archived, limit, status }) {
    const { ask } = yield* connect()
    const query = {
      order: "desc" as const,
      limit: Math.min(Math.max(limit, 1), 100),
      include_archived: archived ? ("true" as const) : undefined,
      agent_id: Option.getOrUndefined(agent),
      "statuses[]": status.length === 0 ? undefined : status
    }
    const found = yield* ask(({ sessions }) => take(sessions.list(query as object), limit))
    yield* printList(found, {
      headings: ["SESSION", "STATUS", "AGENT", "COST", "CHANGED", "TITLE"],
      row,
      none: `There is no session yet. Begin one: ${ourName} run "…", or ${ourName} chat`
    })
  })
).pipe(Command.withDescription("Lists sessions, the newest first"))
