import { Effect, Metric } from "effect"
import type { EgressRecord } from "./EgressRecord.ts"

const requests = Metric.counter("troupe_egress_requests", {
  description: "What sandboxes asked of the network, by kind and outcome",
  incremental: true
})
const bytes = Metric.counter("troupe_egress_bytes", {
  description: "What passed between sandboxes and the network, by direction",
  incremental: true
})

const detail = ({ outcome }: EgressRecord) =>
  outcome._tag === "Refused" ? outcome.code : outcome._tag === "Failed" ? outcome.reason : "none"

export const count = (record: EgressRecord): Effect.Effect<void> =>
  Effect.all(
    [
      Metric.update(
        Metric.withAttributes(requests, {
          kind: record.kind,
          outcome: record.outcome._tag,
          reason: detail(record)
        }),
        1
      ),
      Metric.update(Metric.withAttributes(bytes, { direction: "up" }), record.bytesUp),
      Metric.update(Metric.withAttributes(bytes, { direction: "down" }), record.bytesDown)
    ],
    { discard: true }
  )
