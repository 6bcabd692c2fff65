import type { NetworkPolicy } from "@troupe/domain/environment/EnvironmentConfig"
import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import { Context, Effect, FiberSet, Layer, type Scope } from "effect"
import { chmod, writeFile } from "node:fs/promises"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { makeAuthority } from "./CertificateAuthority.ts"
import { egressPolicy } from "./EgressPolicy.ts"
import type { EgressRecord } from "./EgressRecord.ts"
import { Interception } from "./Interception.ts"
import { Outbound } from "./Outbound.ts"
import { boundedServer, EgressProxyError, listenOn } from "./ProxyServer.ts"
import type { EgressLimits } from "./SandboxEgress.ts"
import { serveSandbox } from "./serveSandbox.ts"
import { TrustStore } from "./TrustStore.ts"

export const defaultLimits: EgressLimits = {
  connectionsMax: 256,
  headerBytesMax: 32 * 1024,
  headersMs: 15_000,
  idleMs: 300_000,
  halfOpenMs: 60_000
}

export interface OpenEgress {
  readonly sessionId: SessionId
  readonly sandboxId: SandboxId
  /** In a directory that this sandbox can reach, and no other one. */
  readonly socketPath: string
  /** Who may connect beside us; where absent, only processes of our own user. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** Where the certificates go that programs inside are to trust: the host's, and this sandbox's own authority. */
  readonly bundlePath: string
  readonly policy: NetworkPolicy
  readonly mcpHosts: ReadonlyArray<Endpoint>
  /** Gets a record of everything that was asked, when it is over. */
  readonly log: (record: EgressRecord) => Effect.Effect<void>
}

/** The way out of sandboxes: one socket each, so that the sandbox behind a connection is known and not claimed. */
export class EgressProxy extends Context.Service<
  EgressProxy,
  {
    /** Serves one sandbox until the scope closes, which ends all its connections. */
    readonly open: (options: OpenEgress) => Effect.Effect<void, EgressProxyError, Scope.Scope>
  }
>()("runner/egress/EgressProxy") {
  static readonly layer = (limits: EgressLimits = defaultLimits) => Layer.effect(EgressProxy, make(limits))
}

const make = Effect.fnUntraced(function* (limits: EgressLimits) {
  const outbound = yield* Outbound
  const trust = yield* TrustStore
  const interception = yield* Interception

  return EgressProxy.of({
    open: Effect.fn("EgressProxy.open")(function* (options) {
      const authority = yield* makeAuthority(`Troupe sandbox ${options.sandboxId}`)
      yield* Effect.tryPromise({
        try: async () => {
          await writeFile(options.bundlePath, trust.pem + authority.certificate)
          await chmod(options.bundlePath, 0o644)
        },
        catch: (cause) =>
          new EgressProxyError({ socketPath: options.socketPath, detail: "the certificates can't be written", cause })
      })
      const server = boundedServer(limits)
      const work = yield* FiberSet.make<void>()
      serveSandbox(server, {
        sessionId: options.sessionId,
        sandboxId: options.sandboxId,
        decide: egressPolicy({ policy: options.policy, mcpHosts: options.mcpHosts, rules: outbound.rules() }),
        log: options.log,
        limits,
        outbound,
        trust,
        interception,
        authority,
        run: yield* FiberSet.runtime(work)()
      })
      yield* listenOn(server, options.socketPath, options.owner, FiberSet.clear(work))
    })
  })
})
