import type { Troupe } from "@troupe/client"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { connect, take } from "../connection/Connection.ts"
import { type Columns, printList } from "./output.ts"

/** How many of a list are wanted. */
export const limitOf = (usual: number) =>
  Flag.Int("limit").pipe(
    Flag.filter(
      (count) => count >= 0,
      () => "a number from 0 on"
    ),
    Flag.withDefault(usual),
    Flag.withDescription("So many at most")
  )

interface Lists<A> extends Columns<A> {
  readonly name?: string
  readonly about: string
  readonly items: (troupe: Troupe) => AsyncIterable<A>
}

/** A command that lists what there is of a kind. */
export const listCommand = <A>({ about, items, name = "list", ...columns }: Lists<A>) =>
  Command.make(
    name,
    { limit: limitOf(100) },
    Effect.fnUntraced(function* ({ limit }) {
      const { ask } = yield* connect()
      yield* printList(yield* ask((troupe) => take(items(troupe), limit)), columns)
    })
  ).pipe(Command.withDescription(about))
