import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import type { RefusalCode } from "@troupe/domain/network/Refusal"

export type EgressOutcome =
  | { readonly _tag: "Forwarded" }
  | { readonly _tag: "Refused"; readonly code: RefusalCode }
  /** `broken`: an end went away in the middle; `idle`: nothing came for too long. */
  | {
      readonly _tag: "Failed"
      readonly reason: "name" | "connect" | "tls" | "timeout" | "protocol" | "broken" | "idle" | "defect"
    }
  /** The sandbox was closed while it went on. */
  | { readonly _tag: "Stopped" }

/** One thing a sandbox asked of the network, written when it is over. Paths and headers are left out: they hold secrets. */
export interface EgressRecord {
  readonly sessionId: SessionId
  readonly sandboxId: SandboxId
  /** `intercepted`: a request inside TLS that was ended here. */
  readonly kind: "tunnel" | "http" | "intercepted"
  /** Of plain and intercepted requests. */
  readonly method: string | null
  readonly status: number | null
  /** As asked for; empty where it could not be read. */
  readonly host: string
  readonly port: number
  /** What the connection went to. */
  readonly address: string | null
  /** Through a tunnel, or of bodies. */
  readonly bytesUp: number
  readonly bytesDown: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly outcome: EgressOutcome
}

/** A record while it is being made. */
export type Draft = { -readonly [Field in keyof EgressRecord]: EgressRecord[Field] }
