import { Effect } from "effect"
import type { EgressRecord } from "../egress/EgressRecord.ts"

const codeOf = ({ outcome }: EgressRecord) =>
  outcome._tag === "Refused" ? { code: outcome.code } : outcome._tag === "Failed" ? { code: outcome.reason } : {}

/** Each way out that was taken, refused or failed is a line in the runner's log, of whoever asked for it. */
export const accounting = (record: EgressRecord): Effect.Effect<void> =>
  Effect.logInfo("Egress").pipe(Effect.annotateLogs({ ...record, outcome: record.outcome._tag, ...codeOf(record) }))
