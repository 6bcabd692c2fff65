import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { tellDone } from "../../app/output.ts"
import { config } from "../../connection/Connection.ts"
import { remove as removeContext, stored, unknown } from "../../connection/Contexts.ts"

export const remove = Command.make(
  "remove",
  { name: Argument.String("name") },
  Effect.fnUntraced(function* ({ name }) {
    const { home } = yield* config
    if (!Object.hasOwn((yield* stored(home)).servers, name)) return yield* unknown(name)
    yield* Effect.sync(() => removeContext(home, name))
    yield* tellDone({ name, removed: true }, `${name} is forgotten, and its key is gone from this host.`)
  })
).pipe(Command.withDescription("Forgets a server and its key"))
