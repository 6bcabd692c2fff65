import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { say } from "../../up/Talk.ts"

const scopes = ["read", "write", "approve", "admin"] as const

export const create = Command.make(
  "create",
  {
    name: Argument.String("name"),
    scope: Flag.Literals("scope", scopes).pipe(
      Flag.atLeast(0),
      Flag.withDescription("What it may do, once for each; read, write and approve unless it is said")
    ),
    expires: Flag.String("expires").pipe(Flag.optional, Flag.withDescription("Until when it holds, such as 2027-01-31"))
  },
  Effect.fnUntraced(function* ({ expires, name, scope }) {
    const { ask } = yield* connect()
    const made = yield* ask(({ tokens }) =>
      tokens.create({
        kind: "api_key",
        name,
        scopes: scope.length === 0 ? ["read", "write", "approve"] : scope,
        ...(Option.isSome(expires) ? { expires_at: expires.value } : {})
      })
    )
    yield* say("This is shown once, and never again:")
    yield* printOne(made, ({ secret }) => secret)
  })
).pipe(Command.withDescription("Makes a key, and prints it this one time"))
