import type { Troupe } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { connect } from "../connection/Connection.ts"
import { printOne } from "./output.ts"

/** A command that shows one thing by its id, as it is. */
export const showCommand = <A>(about: string, one: (troupe: Troupe, id: string) => PromiseLike<A>) =>
  Command.make(
    "show",
    { id: Argument.String("id") },
    Effect.fnUntraced(function* ({ id }) {
      const { ask } = yield* connect()
      yield* printOne(yield* ask((troupe) => one(troupe, id)), (item) => JSON.stringify(item, null, 2))
    })
  ).pipe(Command.withDescription(about))
