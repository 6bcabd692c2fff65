import { Schema } from "effect"
import { EventId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"

/** Why a thread is at rest. */
export const StopReason = Schema.Union([
  Schema.Struct({ type: Schema.Literals(["end_turn", "retries_exhausted", "budget_reached", "paused", "max_steps"]) }),
  /** It waits for answers to these. */
  Schema.Struct({ type: Schema.Literal("requires_action"), eventIds: Schema.Array(EventId) }),
  Schema.Struct({ type: Schema.Literal("refusal"), details: Schema.NullOr(JsonObject) })
])
export type StopReason = typeof StopReason.Type

export type Status =
  | { readonly status: "idle"; readonly stop: StopReason }
  | { readonly status: "running" | "rescheduling" | "terminated"; readonly stop: null }

/** An error as people and programs see it: an open code, a sentence, and what belongs to that code. */
export const ErrorInfo = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  details: Schema.optionalKey(JsonObject)
})
export type ErrorInfo = typeof ErrorInfo.Type
