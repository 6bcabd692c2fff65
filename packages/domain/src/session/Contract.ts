import type { JsonObject } from "../Json.ts"
import type { ErrorInfo, StopReason } from "./Status.ts"

/** Kinds of errors that clients of the compatible API know. */
export const contractErrors = [
  "unknown_error",
  "model_overloaded_error",
  "model_rate_limited_error",
  "model_request_failed_error",
  "mcp_connection_failed_error",
  "mcp_authentication_failed_error",
  "billing_error",
  "credential_host_unreachable_error",
  "tool_use_limit_reached_error",
  "compaction_limit_reached_error",
  "repository_authentication_error",
  "repository_forbidden_error",
  "repository_not_found_error",
  "repository_checkout_error",
  "repository_clone_error"
] as const
export type ContractError = (typeof contractErrors)[number]

/** Codes of ours that are not the contract's word without its ending. */
const renamed: Readonly<Record<string, ContractError>> = {
  context_too_long: "model_request_failed_error",
  model_access_denied: "model_request_failed_error",
  model_card_invalid: "model_request_failed_error",
  model_request_refused: "model_request_failed_error",
  model_timeout: "model_request_failed_error",
  model_unknown: "model_request_failed_error",
  history_too_large: "compaction_limit_reached_error",
  /** As servers that failed were told before. */
  mcp_server_failed: "mcp_connection_failed_error"
}

const isContractError = (name: string): name is ContractError => contractErrors.some((known) => known === name)

/** What a client of the compatible API is told an error is. A code that it has no word for is `unknown_error`. */
export const contractErrorOf = ({ code }: Pick<ErrorInfo, "code">): ContractError => {
  if (Object.hasOwn(renamed, code)) return renamed[code]!
  return [code, `${code}_error`].find(isContractError) ?? "unknown_error"
}

export interface ContractStop {
  readonly stop_reason:
    | { readonly type: "end_turn" | "retries_exhausted" | "budget_reached" | "refusal" }
    | { readonly type: "requires_action"; readonly event_ids: ReadonlyArray<string> }
  readonly stop_details: JsonObject | null
  /** Our own word, where the contract has none for it and a client reads the nearest. */
  readonly troupe: { readonly stop_reason: StopReason["type"] } | null
}

/** Why a thread is at rest, in the contract's words. */
export const contractStopOf = (stop: StopReason): ContractStop => {
  switch (stop.type) {
    case "requires_action":
      return { stop_reason: { type: stop.type, event_ids: stop.eventIds }, stop_details: null, troupe: null }
    case "refusal": {
      const stop_details = { category: null, explanation: null, ...stop.details, type: "refusal" }
      return { stop_reason: { type: stop.type }, stop_details, troupe: null }
    }
    case "paused":
    case "max_steps":
      return { stop_reason: { type: "end_turn" }, stop_details: null, troupe: { stop_reason: stop.type } }
    case "end_turn":
    case "retries_exhausted":
    case "budget_reached":
      return { stop_reason: { type: stop.type }, stop_details: null, troupe: null }
  }
}
