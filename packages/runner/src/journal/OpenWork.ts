import { EventId, ModelRequestId } from "@troupe/domain/Ids"
import { text, unknownOutcomeText } from "@troupe/domain/session/Content"
import type { Frame, FrameBody } from "@troupe/domain/session/Frame"
import { Usage } from "@troupe/domain/session/Usage"
import { Effect, Schema } from "effect"

/** What an attempt has begun and not ended, as its frames say. */
export const OpenWork = Schema.Struct({
  calls: Schema.Array(EventId),
  requests: Schema.Array(Schema.Struct({ requestId: ModelRequestId, estimate: Usage })),
  /** In the order in which they began. */
  subagents: Schema.Array(EventId).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  /** It has said its last frame. */
  ended: Schema.Boolean
})
export type OpenWork = typeof OpenWork.Type

export const nothingOpen: OpenWork = { calls: [], requests: [], subagents: [], ended: false }

export const after = (open: OpenWork, { body }: Frame): OpenWork => {
  switch (body._tag) {
    case "ToolStarted":
      return { ...open, calls: [...open.calls, body.callId] }
    case "ToolFinished":
      return open.calls.includes(body.callId)
        ? { ...open, calls: open.calls.filter((callId) => callId !== body.callId) }
        : open
    case "ModelRequestStarted":
      return { ...open, requests: [...open.requests, { requestId: body.requestId, estimate: body.estimate }] }
    case "ModelRequestEnded":
      return { ...open, requests: open.requests.filter(({ requestId }) => requestId !== body.requestId) }
    case "SubagentStarted":
      return { ...open, subagents: [...open.subagents, body.subagentId] }
    case "SubagentEnded":
      return { ...open, subagents: open.subagents.filter((subagentId) => subagentId !== body.subagentId) }
    case "Completed":
    case "Failed":
    case "Interrupted":
    case "Suspended":
      return { ...open, ended: true }
    default:
      return open
  }
}

const interruptedText = "Tool execution was interrupted before completion. Please retry."

/**
 * Frames that end what is open. Calls that were asked for and never started are the server's to end: it knows which of
 * them wait for people.
 */
export const closing = (open: OpenWork, how: "interrupted" | "unknown"): ReadonlyArray<FrameBody> => [
  ...open.requests.map(({ estimate, requestId }): FrameBody => ({
    _tag: "ModelRequestEnded",
    requestId,
    outcome: how === "interrupted" ? "cancelled" : "unknown",
    usage: { ...estimate, source: "estimated" },
    durationMs: null,
    response: null
  })),
  ...open.subagents.toReversed().map((subagentId): FrameBody => ({
    _tag: "SubagentEnded",
    subagentId,
    outcome: how,
    summary: null,
    durationMs: null
  })),
  ...open.calls.map((callId): FrameBody => ({
    _tag: "ToolFinished",
    callId,
    outcome: how,
    content: text(how === "interrupted" ? interruptedText : unknownOutcomeText),
    isError: true,
    durationMs: null,
    details: null
  }))
]
