import { Effect, Layer, Result } from "effect"
import { type AddressRules, addressRules } from "@troupe/domain/network/AddressRules"
import { type DialTimeouts, Outbound } from "../../src/egress/Outbound.ts"
import { OwnServices } from "../../src/egress/OwnServices.ts"
import { NameUnresolved, Resolver } from "../../src/egress/Resolver.ts"

/** Names with the addresses they have; a function gives another answer each time it is asked, `silent` never one. */
export type Names = Readonly<Record<string, ReadonlyArray<string> | (() => ReadonlyArray<string>) | "silent">>

const names = (known: Names) =>
  Layer.succeed(
    Resolver,
    Resolver.of({
      resolve: (name) =>
        Effect.suspend(() => {
          const found = known[name]
          if (found === undefined) return Effect.fail(new NameUnresolved({ name, code: "ENOTFOUND" }))
          if (found === "silent") return Effect.never
          return Effect.succeed(typeof found === "function" ? found() : found)
        })
    })
  )

/** A way out to the named endpoints of the loopback. Nothing looks a name up outside. */
export const outbound = (
  alsoAllowed: ReadonlyArray<string>,
  known: Names = {},
  { ours = [], timeouts }: { readonly ours?: ReadonlyArray<string>; readonly timeouts?: DialTimeouts } = {}
): Layer.Layer<Outbound> => {
  const rules: AddressRules = Result.getOrThrow(addressRules({ alsoAllowed, ours }))
  return Outbound.layer(rules.alsoAllowed, timeouts).pipe(Layer.provide([names(known), OwnServices.layer(rules.ours)]))
}
