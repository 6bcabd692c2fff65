import type { SessionId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, type Scope } from "effect"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { normalHost } from "@troupe/domain/network/hosts"
import { Interception, type Rewrite } from "./Interception.ts"

/** Credentials of sessions, by the endpoints they are for. The sandbox has none of them: they are added on the way out. */
export class CredentialInjector extends Context.Service<
  CredentialInjector,
  {
    /** Holds until the scope closes, or until somebody gives the session another one for the same endpoint. */
    readonly give: (
      sessionId: SessionId,
      endpoint: Endpoint,
      rewrite: Rewrite
    ) => Effect.Effect<void, never, Scope.Scope>
  }
>()("runner/egress/CredentialInjector") {
  /** Is the proxy's interception, too: whatever nobody gave a credential for passes unread. */
  static readonly layer: Layer.Layer<CredentialInjector | Interception> = Layer.unwrap(
    Effect.sync(() => {
      const given = new Map<string, Rewrite>()
      const give = Effect.fn("CredentialInjector.give")(function* (
        sessionId: SessionId,
        endpoint: Endpoint,
        rewrite: Rewrite
      ) {
        const key = keyOf(sessionId, endpoint)
        yield* Effect.acquireRelease(
          Effect.sync(() => given.set(key, rewrite)),
          () => Effect.sync(() => given.get(key) === rewrite && given.delete(key))
        )
      })
      return Layer.merge(
        Layer.succeed(CredentialInjector, CredentialInjector.of({ give })),
        Layer.succeed(
          Interception,
          Interception.of({
            intercept: (target) => Effect.sync(() => given.get(keyOf(target.sessionId, target)))
          })
        )
      )
    })
  )
}

const keyOf = (sessionId: SessionId, { host, port }: Endpoint) => `${sessionId} ${normalHost(host) ?? host}:${port}`
