import type * as Events from "@troupe/domain/api/Events"
import type * as Feed from "@troupe/domain/api/Feed"
import type { JsonObject } from "@troupe/domain/Json"
import type { Overrides } from "@troupe/domain/api/Turns"
import type { SessionEvent as LoggedEvent } from "@troupe/domain/session/SessionEvent"
import type { Usage as SessionUsage } from "@troupe/domain/api/Sessions"
import type { Query, Plain } from "./wire.ts"

export type { Json, JsonObject } from "@troupe/domain/Json"

export type EventListQuery = Query<typeof Events.list>
export type LogQuery = Query<typeof Events.log>

/** What changed in a workspace. */
export type WorkspaceChange = Plain<Feed.WorkspaceChange>
export type SessionSummary = Plain<Feed.SessionSummary>

type EnvelopeOfLog = Omit<Plain<Events.LogEvent>, "type" | "payload">

/**
 * An event as it stands in the log; null payloads were redacted. A newer server may send types that are not listed here:
 * they are passed on as they are.
 */
export type LogEvent = {
  readonly [Tag in LoggedEvent["_tag"]]: EnvelopeOfLog & {
    readonly type: Tag
    readonly payload: Omit<Extract<LoggedEvent, { readonly _tag: Tag }>, "_tag"> | null
  }
}[LoggedEvent["_tag"]]

/** More of a block that is still being written. */
export interface LogDelta {
  readonly type: "delta"
  readonly event_id: string
  readonly thread_id: string
  /** How much of it came before. */
  readonly offset: number
  readonly text: string
}

export type TextBlock = { readonly type: "text"; readonly text: string }
/** A block of content: text, or another that says by its type what it is. */
export type ContentBlock = TextBlock | (JsonObject & { readonly type: "image" | "document" | "search_result" })

export type StopReason =
  | { readonly type: "end_turn" | "retries_exhausted" | "budget_reached" | "refusal" }
  | { readonly type: "requires_action"; readonly event_ids: ReadonlyArray<string> }

interface Shown {
  readonly id: string
  /** Null while it waits to be taken up. */
  readonly processed_at: string | null
}

interface ToolUse {
  readonly name: string
  readonly input: JsonObject
  readonly session_thread_id?: string
}
interface Judged {
  readonly evaluated_permission: "allow" | "ask" | "deny"
}
interface ToolResult {
  readonly content: ReadonlyArray<ContentBlock>
  readonly is_error: boolean
}
interface ThreadStatus {
  readonly session_thread_id: string
  readonly agent_name: string
}

interface Shapes {
  "user.message": { readonly content: ReadonlyArray<ContentBlock> }
  "user.interrupt": object
  "user.tool_confirmation": {
    readonly tool_use_id: string
    readonly result: "allow" | "deny"
    readonly deny_message?: string
  }
  "user.custom_tool_result": {
    readonly custom_tool_use_id: string
    readonly content?: ReadonlyArray<ContentBlock>
    readonly is_error?: boolean
  }
  "user.tool_result": ToolResult & { readonly tool_use_id: string }
  "user.define_outcome": { readonly outcome_id: string; readonly description: string; readonly max_iterations: number }
  "system.message": { readonly content: ReadonlyArray<ContentBlock> }
  "agent.message": { readonly content: ReadonlyArray<ContentBlock> }
  "agent.thinking": object
  "agent.tool_use": ToolUse & Judged
  "agent.mcp_tool_use": ToolUse & Judged & { readonly mcp_server_name: string }
  "agent.custom_tool_use": ToolUse
  "agent.tool_result": ToolResult & { readonly tool_use_id: string }
  "agent.mcp_tool_result": ToolResult & { readonly mcp_tool_use_id: string }
  "agent.thread_context_compacted": object
  "agent.thread_message_sent": {
    readonly to_session_thread_id: string
    readonly content: ReadonlyArray<ContentBlock>
  }
  "agent.thread_message_received": {
    readonly from_session_thread_id: string
    readonly content: ReadonlyArray<ContentBlock>
  }
  "session.status_running": object
  "session.status_rescheduled": object
  "session.status_terminated": object
  "session.status_idle": { readonly stop_reason: StopReason; readonly stop_details: JsonObject | null }
  "session.thread_status_running": ThreadStatus
  "session.thread_status_rescheduled": ThreadStatus
  "session.thread_status_terminated": ThreadStatus
  "session.thread_status_idle": ThreadStatus & { readonly stop_reason: StopReason }
  "session.thread_created": ThreadStatus
  "session.usage": { readonly usage: SessionUsage; readonly budget: JsonObject | null }
  "session.updated": { readonly title?: string | null; readonly metadata?: Readonly<Record<string, string>> }
  "session.error": {
    readonly error: JsonObject & { readonly type: string; readonly message: string }
  }
  "session.deleted": object
  "span.model_request_start": object
  "span.model_request_end": {
    readonly model_request_start_id: string
    readonly is_error: boolean
    readonly model_usage: Readonly<Record<string, number>>
  }
}

/**
 * An event as a session shows it: its type says which other fields there are. A newer server may send types that are not
 * listed here: they are passed on as they are.
 */
export type SessionEvent = { readonly [T in keyof Shapes]: Shown & { readonly type: T } & Shapes[T] }[keyof Shapes]

/** The event of one type: `EventOf<"agent.message">`. */
export type EventOf<T extends keyof Shapes> = Extract<SessionEvent, { readonly type: T }>

/** A message begins that is still being written. */
export interface EventStart {
  readonly type: "event_start"
  readonly event: { readonly type: "agent.message"; readonly id: string }
}
/** More of a message that is still being written. */
export interface EventDelta {
  readonly type: "event_delta"
  readonly event_id: string
  readonly delta: { readonly type: "content_delta"; readonly index: number; readonly content: TextBlock }
}
export type StreamedEvent = SessionEvent | EventStart | EventDelta

type Blocks = string | ReadonlyArray<JsonObject & { readonly type: string }>
/** An event that a client sends. */
export type UserEvent =
  | {
      readonly type: "user.message"
      readonly content: Exclude<Blocks, string>
      /** What its turn does otherwise than the agent. */
      readonly troupe?: { readonly overrides?: Plain<Overrides> }
    }
  | { readonly type: "system.message"; readonly content: Exclude<Blocks, string> }
  | { readonly type: "user.interrupt"; readonly session_thread_id?: string }
  | {
      readonly type: "user.tool_confirmation"
      readonly tool_use_id: string
      readonly result: "allow" | "deny"
      readonly deny_message?: string
    }
  | {
      readonly type: "user.custom_tool_result"
      readonly custom_tool_use_id: string
      readonly content?: Exclude<Blocks, string>
      readonly is_error?: boolean
    }
  | {
      readonly type: "user.tool_result"
      readonly tool_use_id: string
      readonly content?: Exclude<Blocks, string>
      readonly is_error?: boolean
    }
  | {
      readonly type: "user.define_outcome"
      readonly description: string
      readonly rubric: JsonObject
      readonly max_iterations?: number
    }
/** What a message says: words, or blocks of content. */
export type MessageContent = Blocks
