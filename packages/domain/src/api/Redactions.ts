import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { SessionId } from "../Ids.ts"
import { Limits } from "../Limits.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"

export const SessionRedaction = Schema.Struct({
  type: Schema.Literal("session_redaction"),
  session_id: SessionId,
  /** The events that were asked for, by their place in the log. */
  seqs: Schema.Array(Schema.Int),
  /** Whether their content is gone by now. If not, it goes without being asked for again. */
  applied: Schema.Boolean,
  /** Sessions that were forked after the first of them: each has a copy of its own, and is to be redacted by itself. */
  forks: Schema.Array(SessionId)
}).annotate({ identifier: "SessionRedaction" })
export type SessionRedaction = typeof SessionRedaction.Type

/** Takes the content out of what was said, for good. That it was said stays, and so does the proof of the log. */
export const redact = HttpApiEndpoint.post("redactSession", "/v1/sessions/:id/redact", {
  params: { id: SessionId },
  payload: Schema.Struct({
    /** Ids of events; those of a message, an answer or a call mean all that the log says of it. */
    events: Schema.Array(Name(64)).check(Schema.isMinLength(1), Schema.isMaxLength(Limits.redactedAtOnceMax)),
    /** Stays in the log. */
    reason: Name(512)
  }),
  success: SessionRedaction,
  error: anyFailure
})

export const group = HttpApiGroup.make("redactions").add(redact)
