import type { LogEvent } from "@troupe/client"
import { timeOfMicros } from "@troupe/domain/api/Page"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { readFileSync } from "node:fs"

/** The log of the domain's golden bundle, which has all that happens in sessions, as the API gives it. */
export const goldenLog = (): ReadonlyArray<LogEvent> => {
  const file = new URL("../../../domain/test/golden/v0.1.0.jsonl", import.meta.url)
  const lines = readFileSync(file, "utf8").trim().split("\n")
  return lines.flatMap((line) => {
    const read = JSON.parse(line) as Recorded & { readonly kind: string }
    if (read.kind !== "event") return []
    return [
      {
        seq: read.seq,
        id: read.eventId,
        type: read.type,
        version: read.version,
        recorded_at: timeOfMicros(read.recordedAt),
        thread_id: read.threadId,
        actor: JSON.parse(read.actorText),
        causation_id: read.causationId,
        correlation_id: read.correlationId,
        epoch: read.epoch,
        commitment: read.commitment,
        chain: read.chain,
        payload: read.payload === null ? null : JSON.parse(read.payload)
      } as LogEvent
    ]
  })
}
