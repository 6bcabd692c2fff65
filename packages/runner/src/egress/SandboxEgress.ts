import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import type { Effect, Fiber } from "effect"
import type { CertificateAuthority } from "./CertificateAuthority.ts"
import type { Decide } from "./EgressPolicy.ts"
import type { EgressRecord } from "./EgressRecord.ts"
import type { Interception } from "./Interception.ts"
import type { Outbound } from "./Outbound.ts"
import type { ServerLimits } from "./ProxyServer.ts"
import type { SpliceLimits } from "./splice.ts"
import type { TrustStore } from "./TrustStore.ts"

export interface EgressLimits extends ServerLimits, SpliceLimits {}

/** What the proxy knows of the one sandbox behind a socket. */
export interface SandboxEgress {
  readonly sessionId: SessionId
  readonly sandboxId: SandboxId
  readonly decide: Decide
  readonly log: (record: EgressRecord) => Effect.Effect<void>
  readonly limits: EgressLimits
  readonly outbound: Outbound["Service"]
  readonly trust: TrustStore["Service"]
  readonly interception: Interception["Service"]
  readonly authority: CertificateAuthority
  /** Begins work that ends with the sandbox's scope. */
  readonly run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}
