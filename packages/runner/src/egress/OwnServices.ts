import { type Endpoint } from "@troupe/domain/network/AddressRules"
import { parseAuthority } from "@troupe/domain/network/hosts"
import { Context, Effect, Layer } from "effect"

/**
 * What belongs to this installation, and nothing that runs for an agent may reach: the servers that this runner was given,
 * and what nodes say when they greet it.
 */
export class OwnServices extends Context.Service<
  OwnServices,
  {
    readonly all: () => ReadonlyArray<Endpoint>
    /** What a node says, as `host:port`. It speaks for the whole installation, so that the last one counts. */
    readonly adopt: (told: ReadonlyArray<string>) => Effect.Effect<void>
  }
>()("runner/egress/OwnServices") {
  static readonly layer = (given: ReadonlyArray<Endpoint> = []): Layer.Layer<OwnServices> =>
    Layer.sync(OwnServices, () => {
      let all = given
      return OwnServices.of({
        all: () => all,
        adopt: (told) => Effect.sync(() => void (all = [...given, ...told.flatMap((one) => parseAuthority(one) ?? [])]))
      })
    })
}
