import { Effect } from "effect"
import { Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"

export const show = Command.make(
  "show",
  {},
  Effect.fnUntraced(function* () {
    const { ask } = yield* connect()
    yield* printOne(yield* ask(({ policies }) => policies.retrieve()), (found) => JSON.stringify(found, null, 2))
  })
).pipe(Command.withDescription("Shows the policies that are in force, and their version"))
