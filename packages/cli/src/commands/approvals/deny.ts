import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { callArgument } from "./callArgument.ts"

export const deny = Command.make(
  "deny",
  {
    call: callArgument,
    message: Flag.String("message").pipe(Flag.optional, Flag.withDescription("Why, for the agent to read"))
  },
  Effect.fnUntraced(function* ({ call, message }) {
    const { ask } = yield* connect()
    const answer = { result: "deny" as const, message: Option.getOrNull(message) }
    const answered = yield* ask(({ approvals }) => approvals.answer(call, answer))
    yield* printOne(answered, ({ session_id }) => `Refused, in ${session_id}.`)
  })
).pipe(Command.withDescription("Refuses a call that waits to be allowed"))
