import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { tellDone } from "../../app/output.ts"
import { config } from "../../connection/Connection.ts"
import { stored, unknown, use as useContext } from "../../connection/Contexts.ts"

export const use = Command.make(
  "use",
  { name: Argument.String("name") },
  Effect.fnUntraced(function* ({ name }) {
    const { home } = yield* config
    const { servers } = yield* stored(home)
    if (name !== "home" && !Object.hasOwn(servers, name)) return yield* unknown(name)
    yield* Effect.sync(() => useContext(home, name === "home" ? null : name))
    yield* tellDone({ name, current: true }, `${name} is in use.`)
  })
).pipe(Command.withDescription("Uses a server from now on; home is the one that runs here"))
