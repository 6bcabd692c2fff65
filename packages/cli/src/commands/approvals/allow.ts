import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { callArgument } from "./callArgument.ts"

export const allow = Command.make(
  "allow",
  {
    call: callArgument,
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
