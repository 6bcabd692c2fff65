import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import { Context, Effect, Layer } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import type { EgressRefused } from "@troupe/domain/network/Refusal"

export interface InterceptionTarget {
  readonly sessionId: SessionId
  readonly sandboxId: SandboxId
  readonly host: string
  readonly port: number
}

export interface InterceptedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** Headers to set, by lower-case name; null takes one away. */
export type HeaderChanges = Readonly<Record<string, string | null>>

/** Asked for each request. Refusing makes it a 403 inside of the sandbox. */
export type Rewrite = (request: InterceptedRequest) => Effect.Effect<HeaderChanges, EgressRefused>

/**
 * Whether TLS to a host is ended by the proxy, so that credentials are added which the sandbox never sees. Asked once for
 * each CONNECT. Without an answer the bytes pass unread, which is how it is for every host unless something says otherwise.
 */
export class Interception extends Context.Service<
  Interception,
  { readonly intercept: (target: InterceptionTarget) => Effect.Effect<Rewrite | undefined> }
>()("runner/egress/Interception") {
  static readonly layerNever = Layer.succeed(
    Interception,
    Interception.of({ intercept: () => Effect.succeed(undefined) })
  )
}
