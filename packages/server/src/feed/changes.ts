import type { WorkspaceChange } from "@troupe/domain/api/Feed"
import * as Codec from "@troupe/domain/session/Codec"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Result } from "effect"
import { kindOf } from "../inbox/inboxProjection.ts"

/** What an event changes for those who look at a workspace. What a session shows then, its list row says. */
export type Change =
  | { readonly type: "session"; readonly sessionId: string }
  | { readonly type: "runner" }
  | Extract<WorkspaceChange, { readonly type: "session.deleted" | "inbox.opened" | "inbox.closed" }>

const shown: ReadonlySet<string> = new Set([
  "SessionOpened",
  "SessionUpdated",
  "StatusChanged",
  "SessionArchived"
] satisfies ReadonlyArray<SessionEvent["_tag"]>)

const told: ReadonlySet<string> = new Set([
  "SessionDeleted",
  "ToolRequested",
  "ToolConfirmed",
  "QuestionAnswered",
  "TurnInterrupted",
  "TurnFailed"
] satisfies ReadonlyArray<SessionEvent["_tag"]>)

const ofRunners: ReadonlySet<string> = new Set(["RunnerRegistered", "RunnerDrained", "RunnerUndrained"])

export const changeTags: ReadonlyArray<string> = [...shown, ...told, ...ofRunners]

/** Kinds whose content says what changed. Of the others, it is enough to know that they are there. */
export const readTags: ReadonlyArray<string> = [...told]

export const changeOf = (
  sessionId: string,
  event: { readonly type: string; readonly version: number; readonly payload: string | null }
): Change | null => {
  const { payload, type, version } = event
  if (ofRunners.has(type)) return { type: "runner" }
  if (shown.has(type)) return { type: "session", sessionId }
  if (!told.has(type) || payload === null) return null
  const read = Codec.decodeFast({ streamId: sessionId, seq: 0, type, version, payload })
  return Result.isFailure(read) ? null : ofEvent(sessionId, read.success)
}

const ofEvent = (session_id: string, event: SessionEvent): Change | null => {
  switch (event._tag) {
    case "SessionDeleted":
      return { type: "session.deleted", session_id }
    case "ToolRequested": {
      const kind = kindOf(event)
      return kind === null ? null : { type: "inbox.opened", kind, id: event.callId, session_id, tool: event.name }
    }
    case "ToolConfirmed":
    case "QuestionAnswered":
      return { type: "inbox.closed", id: event.callId, session_id, turn_id: null }
    case "TurnInterrupted":
    case "TurnFailed":
      return { type: "inbox.closed", id: null, session_id, turn_id: event.turnId }
    default:
      return null
  }
}
