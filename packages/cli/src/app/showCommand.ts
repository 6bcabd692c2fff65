import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { connect } from "../connection/Connection.ts"
import { findNamed, type Named } from "./named.ts"
import { printOne } from "./output.ts"

/** A command that shows one thing as it is. */
export const showCommand = <A extends { readonly name: string }>(about: string, named: Named<A>) =>
  Command.make(
    "show",
    { wanted: Argument.String(named.kind).pipe(Argument.withDescription("Its id or its name")) },
    Effect.fnUntraced(function* ({ wanted }) {
      const { ask } = yield* connect()
      yield* printOne(yield* ask((troupe) => findNamed(troupe, named, wanted)), (item) => JSON.stringify(item, null, 2))
    })
  ).pipe(Command.withDescription(about))
