import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { limitOf } from "../app/listCommand.ts"
import { printList } from "../app/output.ts"
import { connect, take } from "../connection/Connection.ts"

const groups = ["day", "model", "agent", "session"] as const

const fields = { day: "day", model: "model", agent: "agent_id", session: "session_id" } as const

const dollars = (microUsd: number): string =>
  `$${(microUsd / 1_000_000).toFixed(microUsd > 0 && microUsd < 10_000 ? 4 : 2)}`

export const usage = Command.make(
  "usage",
  {
    by: Flag.Literals("by", groups).pipe(
      Flag.atLeast(0),
      Flag.withDescription("What rows are told apart by, once for each; days unless it is said")
    ),
    from: Flag.String("from").pipe(
      Flag.optional,
      Flag.withDescription("The first day, as YYYY-MM-DD; 30 days ago unless said")
    ),
    to: Flag.String("to").pipe(Flag.optional, Flag.withDescription("The last day, as YYYY-MM-DD")),
    limit: limitOf(100)
  },
  Effect.fnUntraced(function* ({ by, from, limit, to }) {
    const { ask } = yield* connect()
    const groupedBy = groups.filter((group) => (by.length === 0 ? group === "day" : by.includes(group)))
    const query = {
      "group_by[]": groupedBy,
      limit: Math.min(Math.max(limit, 1), 1_000),
      ...(Option.isSome(from) ? { from: from.value } : {}),
      ...(Option.isSome(to) ? { to: to.value } : {})
    }
    yield* printList(yield* ask((troupe) => take(troupe.usage.query(query), limit)), {
      headings: [...groupedBy.map((group) => group.toUpperCase()), "REQUESTS", "IN", "OUT", "TOOL CALLS", "COST"],
      row: (row) => [
        ...groupedBy.map((group) => row[fields[group]]),
        row.model_requests,
        row.input_tokens,
        row.output_tokens,
        row.tool_calls,
        row.unpriced_requests === row.model_requests && row.model_requests > 0
          ? "not known"
          : dollars(row.cost_micro_usd)
      ],
      none: "Nothing was used in these days."
    })
  })
).pipe(Command.withDescription("Says what was used, and what it cost"))
