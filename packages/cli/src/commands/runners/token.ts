import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { say } from "../../up/Talk.ts"
import { ourName } from "../../app/NameConfig.ts"

export const token = Command.make(
  "token",
  {
    name: Argument.String("name"),
    label: Flag.String("label").pipe(
      Flag.atLeast(0),
      Flag.withDescription("A label of the runners that register by it")
    )
  },
  Effect.fnUntraced(function* ({ label, name }) {
    const { ask, server } = yield* connect()
    const made = yield* ask(({ tokens }) => tokens.create({ kind: "runner_registration", name, labels: label }))
    yield* say(
      `Shown once. On the runner's host, in a file of mode 600: ${ourName} runner --server ${server.url} --token-file FILE`
    )
    yield* printOne(made, ({ secret }) => secret)
  })
).pipe(Command.withDescription("Makes a token that a runner registers with, and prints it this one time"))
