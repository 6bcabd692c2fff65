import { Effect } from "effect"
import { Command } from "effect/cli"
import { printList } from "../../app/output.ts"
import { config } from "../../connection/Connection.ts"
import { stored } from "../../connection/Contexts.ts"
import { holderOf } from "../../up/Home.ts"

export const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const { home } = yield* config
    const { current, servers } = yield* stored(home)
    const own = { name: "home", url: holderOf(home)?.url ?? null, current: current === null }
    const others = Object.entries(servers).map(([name, { url }]) => ({ name, url, current: name === current }))
    yield* printList([own, ...others], {
      headings: ["", "NAME", "SERVER"],
      row: (one) => [one.current ? "*" : " ", one.name, one.url ?? "does not run"],
      none: "There is none."
    })
  })
).pipe(Command.withDescription("Lists the servers that are known; the star is at the one in use"))
