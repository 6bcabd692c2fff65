import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"
import type { Effect } from "effect"
import type { JournalFull } from "../attempt/AttemptFrames.ts"

/** A tool as a model is told of it. The catalog is frozen for an attempt. */
export interface ToolSpec {
  readonly name: string
  readonly server: string | null
  /** What its server calls it, where the model is given another name. */
  readonly ownName?: string
  readonly description: string
  /** JSON Schema of the input. */
  readonly inputSchema: JsonObject
  readonly readOnly: boolean
  readonly idempotent: boolean
}

export interface ToolCallRequest {
  /** Chosen by the caller when the call begins to stream; the gateway mints one where absent. */
  readonly callId?: EventId
  readonly requestId: ModelRequestId | null
  /** What the model called it. */
  readonly providerCallId: string
  readonly name: string
  readonly input: Json
}

/** A call of an answer, with the id that it is known by. */
export type NamedCall = ToolCallRequest & { readonly callId: EventId }

/** What became of a call. `Awaiting`: somebody outside owes an answer, and the attempt is to be suspended. */
export type ToolResult =
  | {
      readonly _tag: "Done"
      readonly callId: EventId
      readonly outcome: "succeeded" | "failed" | "denied" | "interrupted" | "timed_out" | "unknown"
      readonly content: Content
      readonly isError: boolean
      /** What programs may know beside the content, as the frame has it: an exit code, a place, a size. */
      readonly details?: JsonObject
    }
  | { readonly _tag: "Awaiting"; readonly callId: EventId }

/** The one way to a tool, for every harness: allow-list, policy, approval, journal, timeout, limits, audit. */
export interface ToolCalls {
  readonly catalog: ReadonlyArray<ToolSpec>
  /** Says of all calls of an answer that they are asked for, and what is thought of them; nothing runs yet. */
  readonly request: (calls: ReadonlyArray<NamedCall>) => Effect.Effect<void, JournalFull>
  /** Asks for the call where it was not asked for yet, and runs it if it may run. Never fails for what the call itself does wrong: the model reads that. */
  readonly call: (request: ToolCallRequest) => Effect.Effect<ToolResult, JournalFull>
  /** Runs the calls of an earlier attempt that were approved since. To be done before anything else. */
  readonly resume: Effect.Effect<ReadonlyArray<ToolResult>, JournalFull>
}
