import { conflict, ApiFailure } from "@troupe/domain/api/ApiError"
import { noHeartbeat } from "@troupe/domain/api/Work"
import type { TokenId } from "@troupe/domain/Ids"
import { toUuid } from "@troupe/domain/Ids"
import { Context } from "effect"
import type { Caller } from "../gateway/Requests.ts"
import type { WorkRow } from "./WorkRows.ts"

/** How long claims last, and how often it is looked for those that are over. */
export const LeaseTimes = Context.Reference<{
  /** How long a claim outlives its last heartbeat, where the worker does not say. */
  readonly ttlSeconds: number
  readonly sweepEveryMs: number
  /** How often the sessions of an environment are looked through for work, at most. */
  readonly lookEveryMs: number
}>("server/LeaseTimes", {
  defaultValue: () => ({ ttlSeconds: 90, sweepEveryMs: 5_000, lookEveryMs: 1_000 })
})

export interface Beat {
  readonly desiredTtlSeconds: number | null
  readonly expected: string | null
}

/** What is compared with the row: ids are kept as UUIDs. */
export const holderOf = ({ tokenId }: { readonly tokenId: TokenId }): string => toUuid(tokenId)!

/** Whoever came with another token holds the claim, or nobody does any more. */
export const isHeldByOthers = (row: WorkRow, caller: Caller["Service"]): boolean =>
  caller.kind === "worker" && row.holder !== null && row.holder !== holderOf(caller)

const expects = (row: WorkRow, { expected }: Beat, caller: Caller["Service"]): boolean => {
  if (expected === null) return true
  if (expected === noHeartbeat) return row.heartbeatAt === null
  if (expected === row.heartbeatAt) return true
  // Its last beat was taken and the answer was lost: it sends the same again.
  return expected === row.heartbeatBefore && row.holder === holderOf(caller)
}

/** Refuses a heartbeat of a claim that is not, or is no more. */
export const beatRefused = (row: WorkRow, beat: Beat, caller: Caller["Service"]): ApiFailure | null => {
  const lost = row.state === "queued" || isHeldByOthers(row, caller) || !expects(row, beat, caller)
  if (!lost) return null
  return new ApiFailure({
    type: "invalid_request_error",
    status: 412,
    code: "heartbeat_precondition_failed",
    message: "The heartbeat is not the one that this work expects: another worker may hold it",
    currentState: {
      last_heartbeat: row.heartbeatAt,
      lease_extended: false,
      state: row.state,
      ttl_seconds: row.ttlSeconds
    },
    final: true
  })
}

/** Whether a stop is the word of the one who works, and not a request to the one who does. */
export const isOwnStop = (row: WorkRow, caller: Caller["Service"]): boolean =>
  (caller.kind === "worker" || caller.kind === "environment_key") &&
  (row.holder === null || row.holder === holderOf(caller))

export const stopRefused = (row: WorkRow, caller: Caller["Service"]): ApiFailure | null => {
  if (row.state === "stopped") return conflict("The work has stopped already")
  return isHeldByOthers(row, caller) ? conflict("Another worker holds this work now") : null
}
