import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { printOne } from "../app/output.ts"
import { ago } from "../app/time.ts"
import { connect } from "../connection/Connection.ts"
import { inputLine } from "../session/toolLine.ts"

const list = listCommand({
  about: "Lists the calls of all sessions that wait to be allowed",
  items: ({ approvals }) => approvals.list({ limit: 100 }),
  headings: ["CALL", "SESSION", "TOOL", "ASKED", "INPUT"],
  row: ({ asked_at, id, input, session_id, tool }, now) => [id, session_id, tool, ago(asked_at, now), inputLine(input)],
  none: "Nothing waits to be allowed."
})

const call = Argument.String("call").pipe(Argument.withDescription("The call, by its id"))

const allow = Command.make(
  "allow",
  {
    call,
    session: Flag.Boolean("session").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Every later call of this tool in its session as well")
    )
  },
  Effect.fnUntraced(function* ({ call, session }) {
    const { ask } = yield* connect()
    const scope = session ? ("session" as const) : ("once" as const)
    const answered = yield* ask(({ approvals }) => approvals.answer(call, { result: "allow", scope }))
    yield* printOne(answered, ({ session_id }) => `Allowed, in ${session_id}.`)
  })
).pipe(Command.withDescription("Allows a call that waits for it"))

const deny = Command.make(
  "deny",
  { call, message: Flag.String("message").pipe(Flag.optional, Flag.withDescription("Why, for the agent to read")) },
  Effect.fnUntraced(function* ({ call, message }) {
    const { ask } = yield* connect()
    const answer = { result: "deny" as const, message: Option.getOrNull(message) }
    const answered = yield* ask(({ approvals }) => approvals.answer(call, answer))
    yield* printOne(answered, ({ session_id }) => `Refused, in ${session_id}.`)
  })
).pipe(Command.withDescription("Refuses a call that waits to be allowed"))

export const approvals = Command.make("approvals").pipe(
  Command.withDescription("Calls that wait to be allowed, in all sessions"),
  Command.withSubcommands([list, allow, deny])
)
