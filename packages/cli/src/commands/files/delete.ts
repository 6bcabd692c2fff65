import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { confirmed, yesFlag } from "../../app/confirm.ts"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"

export const remove = Command.make(
  "delete",
  { id: Argument.String("id"), yes: yesFlag },
  Effect.fnUntraced(function* ({ id, yes }) {
    if (!(yield* confirmed(yes, `Delete ${id} for good?`))) return
    const { ask } = yield* connect()
    yield* printOne(yield* ask(({ files }) => files.delete(id)), () => `${id} is deleted.`)
  })
).pipe(Command.withDescription("Deletes a file for good"))
