import { type EventId, fromTime, type IdKind, type ModelRequestId, prefixes, type SandboxId } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import { randomBytes } from "node:crypto"

const mint = (kind: IdKind) =>
  Effect.map(Clock.currentTimeMillis, (now) => fromTime(prefixes[kind], now, randomBytes(10)))

/** A new id for a block or a call: deltas, the finished event and its results share it. */
export const mintEventId = Effect.map(mint("Event"), (id) => id as EventId)
export const mintModelRequestId = Effect.map(mint("ModelRequest"), (id) => id as ModelRequestId)
export const mintSandboxId = Effect.map(mint("Sandbox"), (id) => id as SandboxId)
