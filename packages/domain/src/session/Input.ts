import { Schema } from "effect"
import { EventId, OutcomeId, ThreadId, TurnId } from "../Ids.ts"
import { Json, JsonObject } from "../Json.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { Content } from "./Content.ts"

/** What one turn may do differently. Editable until the turn starts. */
export const TurnOverrides = Schema.Struct({
  model: Schema.optionalKey(Schema.String),
  effort: Schema.optionalKey(Schema.String),
  tools: Schema.optionalKey(Schema.Array(JsonObject)),
  resources: Schema.optionalKey(Schema.Array(JsonObject)),
  permissionPreset: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})
export type TurnOverrides = typeof TurnOverrides.Type

export const Decision = Schema.Union([
  Schema.Struct({ type: Schema.Literal("allow_once") }),
  Schema.Struct({ type: Schema.Literal("allow_session") }),
  /** The call runs with other arguments: what was approved is bound by its hash. */
  Schema.Struct({ type: Schema.Literal("allow_edited"), input: Json, inputDigest: Sha256Hex }),
  Schema.Struct({ type: Schema.Literal("deny"), message: Schema.NullOr(Schema.String) })
])
export type Decision = typeof Decision.Type

/** What clients send into a session. One command carries a list of them, taken or refused whole. */
export const Input = Schema.TaggedUnion({
  Message: {
    inputId: EventId,
    turnId: TurnId,
    /** Absent: the primary thread. */
    threadId: Schema.NullOr(ThreadId),
    content: Content,
    /** `queue` makes a turn of its own; `steer` joins the running turn at its next model request. */
    mode: Schema.Literals(["queue", "steer"]),
    overrides: TurnOverrides,
    needsApproval: Schema.Boolean
  },
  SystemMessage: {
    inputId: EventId,
    content: Content,
    /** The input that it came with: it takes its place behind that one. Absent: at once. */
    follows: Schema.optionalKey(EventId)
  },
  /** Absent thread: all of them. */
  Interrupt: { inputId: EventId, threadId: Schema.NullOr(ThreadId) },
  Confirmation: { inputId: EventId, callId: EventId, decision: Decision },
  ToolResult: {
    inputId: EventId,
    callId: EventId,
    content: Content,
    isError: Schema.Boolean,
    executor: Schema.Literals(["client", "worker"])
  },
  Answer: { inputId: EventId, callId: EventId, answer: Json },
  Outcome: {
    inputId: EventId,
    outcomeId: OutcomeId,
    description: Schema.String,
    rubric: Json,
    maxIterations: Schema.Int
  }
})
export type Input = typeof Input.Type
