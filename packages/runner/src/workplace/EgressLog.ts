import { Effect } from "effect"
import type { EgressRecord } from "../egress/EgressRecord.ts"

/** Each way out that was taken or refused is a line in the runner's log. */
export const accounting = (record: EgressRecord): Effect.Effect<void> =>
  Effect.logDebug("Egress").pipe(Effect.annotateLogs({ ...record }))
