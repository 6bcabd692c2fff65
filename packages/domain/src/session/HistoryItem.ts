import { Schema } from "effect"
import { EventId, ModelRequestId, ThreadId } from "../Ids.ts"
import { Json } from "../Json.ts"
import { Content } from "./Content.ts"

/** One item of a conversation as a model is told it. A fork begins with a copy of these. */
export const HistoryItem = Schema.Union([
  /** From a person, or from another thread. */
  Schema.Struct({
    type: Schema.Literal("user"),
    inputId: Schema.NullOr(EventId),
    from: Schema.NullOr(ThreadId),
    content: Content
  }),
  Schema.Struct({ type: Schema.Literal("system"), inputId: Schema.NullOr(EventId), content: Content }),
  /** What the model said. `partial`: it was interrupted there. */
  Schema.Struct({
    type: Schema.Literal("assistant"),
    blockId: EventId,
    requestId: ModelRequestId,
    content: Content,
    partial: Schema.Boolean
  }),
  Schema.Struct({
    type: Schema.Literal("thinking"),
    blockId: EventId,
    requestId: ModelRequestId,
    text: Schema.NullOr(Schema.String),
    opaque: Schema.NullOr(Json)
  }),
  Schema.Struct({
    type: Schema.Literal("tool_call"),
    callId: EventId,
    requestId: Schema.NullOr(ModelRequestId),
    providerCallId: Schema.String,
    name: Schema.String,
    server: Schema.NullOr(Schema.String),
    input: Json,
    /** What it was approved with instead, if a person changed it. */
    editedInput: Schema.optionalKey(Json)
  }),
  /** Follows its call, or the last call of the same response. Each call has one. */
  Schema.Struct({
    type: Schema.Literal("tool_result"),
    callId: EventId,
    providerCallId: Schema.String,
    /** `pending`: the log knows no outcome yet. */
    outcome: Schema.Literals([
      "succeeded",
      "failed",
      "denied",
      "interrupted",
      "timed_out",
      "expired",
      "unknown",
      "pending"
    ]),
    content: Content,
    isError: Schema.Boolean,
    /** Of a command that came to an end by itself. */
    exitCode: Schema.optionalKey(Schema.Int)
  }),
  /** Stands for everything before it. */
  Schema.Struct({ type: Schema.Literal("summary"), content: Content }),
  /** Something about the surroundings that the model must know. */
  Schema.Struct({ type: Schema.Literal("note"), code: Schema.String, text: Schema.String })
])
export type HistoryItem = typeof HistoryItem.Type
export type HistoryItemOf<Type extends HistoryItem["type"]> = Extract<HistoryItem, { readonly type: Type }>
