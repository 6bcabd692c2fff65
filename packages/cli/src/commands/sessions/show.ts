import type { Session } from "@troupe/client"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { facts } from "../../app/facts.ts"
import { dollars } from "../../app/money.ts"
import { printOne } from "../../app/output.ts"
import { agoExactly } from "../../app/time.ts"
import { connect } from "../../connection/Connection.ts"
import { sandboxInWords } from "../../session/sandboxInWords.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

const inWords = (
  { agent, archived_at, created_at, environment_id, id, stats, status, title, troupe, updated_at, usage }: Session,
  now: number
) =>
  facts([
    ["session", id],
    ["title", title],
    ["status", archived_at === null ? status : `${status}, archived ${agoExactly(archived_at, now)}`],
    ["agent", `${agent.name} (${agent.id}, version ${agent.version})`],
    ["model", agent.model.id],
    ["environment", environment_id],
    ["sandbox", sandboxInWords(troupe.sandbox)],
    ["created", agoExactly(created_at, now)],
    ["changed", agoExactly(updated_at, now)],
    ["active", `${stats.active_seconds} s`],
    ["tokens", `${usage.input_tokens} in, ${usage.output_tokens} out`],
    ["cost", dollars(usage.list_cost) ?? "not known"]
  ])

export const show = Command.make(
  "show",
  { session: sessionArgument },
  Effect.fnUntraced(function* ({ session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    yield* printOne(yield* connection.ask(({ sessions }) => sessions.retrieve(id)), inWords)
  })
).pipe(Command.withDescription("Says what a session is, and how it stands"))
