import type { Json, JsonObject } from "@troupe/domain/Json"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Usage } from "@troupe/domain/session/Usage"
import { type Effect, Schema, type Stream } from "effect"
import type { ToolSpec } from "../tools/ToolCalls.ts"

/** One request to a model, in our words: what every provider's own format is made from. */
export interface ModelRequest {
  /** As the provider knows it. */
  readonly model: string
  /** The system prompt in named sections whose order never changes within a turn, so that providers can cache it. */
  readonly instructions: ReadonlyArray<{ readonly section: string; readonly text: string }>
  readonly history: ReadonlyArray<HistoryItem>
  readonly tools: ReadonlyArray<Pick<ToolSpec, "name" | "description" | "inputSchema">>
  readonly settings: ModelSettings
  /** The same for all requests that begin alike: providers that route by it find their cache again. */
  readonly cacheKey: string
}

export interface ModelSettings {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly effort?: string
  readonly speed?: string
  /** JSON Schema of the answer. */
  readonly output?: { readonly name: string; readonly schema: JsonObject }
  /** It knows of the tools, since the conversation has their calls, and is to call none. */
  readonly toolChoice?: "none"
}

/** What a model says while it answers, in order. A block's pieces come between its `Begun` and its `Block`. */
export type ModelEvent =
  | { readonly _tag: "Begun"; readonly index: number; readonly kind: "text" | "thinking" | "tool_call" }
  | { readonly _tag: "Delta"; readonly index: number; readonly text: string }
  | { readonly _tag: "Text"; readonly index: number; readonly text: string }
  /** `opaque`: what this provider wants back verbatim. */
  | { readonly _tag: "Thinking"; readonly index: number; readonly text: string | null; readonly opaque: Json | null }
  | {
      readonly _tag: "ToolCall"
      readonly index: number
      readonly providerCallId: string
      readonly name: string
      /** As the model wrote it: it need not be JSON. */
      readonly input: string
    }
  | {
      readonly _tag: "Ended"
      readonly stop: ModelStop
      readonly usage: MeasuredUsage | null
      /** It answered at a higher speed, which has a price of its own. */
      readonly isFast?: true
      /** Why it refused, where the provider says so. */
      readonly details?: JsonObject
    }

export type ModelStop = "end_turn" | "tool_calls" | "max_tokens" | "refusal"
export type MeasuredUsage = Omit<Usage, "source" | "costMicroUsd">

export const ModelTrouble = Schema.TaggedUnion({
  /** Too many requests, or too much load: passes by itself. */
  Busy: { status: Schema.Int, retryAfterMs: Schema.NullOr(Schema.Int) },
  /** A 5xx, a broken connection, a stream that ended early, or an answer that is none. */
  Broken: { status: Schema.NullOr(Schema.Int) },
  TimedOut: { afterMs: Schema.Int },
  ContextTooLong: {},
  /** The key is missing, wrong, or may not do this. */
  Denied: { status: Schema.NullOr(Schema.Int) },
  /** Its owner is out of credit, or has to see to the bill. */
  Unpaid: {},
  UnknownModel: {},
  Refused: { status: Schema.Int }
})
export type ModelTrouble = typeof ModelTrouble.Type

/** A model request that did not end well. The detail is the provider's own, without anything secret. */
export class ModelError extends Schema.TaggedError<ModelError>()("ModelError", {
  provider: Schema.String,
  model: Schema.String,
  trouble: ModelTrouble,
  detail: Schema.String
}) {
  override get message() {
    return `${this.provider}/${this.model}: ${this.detail}`
  }

  /** Whether the same request may go well later. */
  get passes(): boolean {
    return ["Busy", "Broken", "TimedOut"].includes(this.trouble._tag)
  }
}

export interface ModelProbe {
  readonly usable: boolean
  readonly notes: ReadonlyArray<string>
  /** Those that the provider names; empty where it has no list. */
  readonly models: ReadonlyArray<string>
}

export interface ModelFacts {
  readonly contextTokens: number
  readonly outputTokens: number
  /** How many tools a request may bring along; absent: as many as there are. */
  readonly toolsMax?: number
}

/** Which model is asked, and how the agent wants it to be asked. */
export type Asked = Pick<ModelRequest, "model" | "settings">

/** A provider of models. It never tries again by itself: that is decided, and recorded, where the turn is driven. */
export interface ModelClient {
  readonly provider: string
  readonly probe: Effect.Effect<ModelProbe>
  readonly facts: (model: string) => ModelFacts
  /** Which of the settings the model is not asked with, each in a sentence for people, as far as that is known by now. */
  readonly leavesOut?: (asked: Asked) => ReadonlyArray<string>
  /** What the provider is sent for a request, without headers and keys. */
  readonly body?: (request: ModelRequest) => unknown
  /** Interrupting closes the connection to the provider. */
  readonly stream: (request: ModelRequest) => Stream.Stream<ModelEvent, ModelError>
}
