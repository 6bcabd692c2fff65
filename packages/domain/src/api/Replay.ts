import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { Actor } from "../Actor.ts"
import { ModelRequestId, SessionId, TurnId } from "../Ids.ts"
import { Json, JsonObject } from "../Json.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, Text } from "./Common.ts"
import { Flag } from "./Page.ts"
import { Session } from "./Sessions.ts"

const one = { id: SessionId }
/** A place in the log: after this many events. */
const Seq = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))

export const SessionStateAt = Schema.Struct({
  type: Schema.Literal("session_state"),
  session_id: SessionId,
  seq: Schema.Int,
  /** Which fold made it: the same events may fold to another shape in another release. */
  fold_version: Schema.Int,
  state: JsonObject
}).annotate({ identifier: "SessionStateAt" })
export type SessionStateAt = typeof SessionStateAt.Type

export const state = HttpApiEndpoint.get("readState", "/v1/sessions/:id/state", {
  params: one,
  /** None: where the log ends. */
  query: { at: Schema.optionalKey(Seq) },
  success: SessionStateAt,
  error: anyFailure
})

export const SessionDiff = Schema.Struct({
  type: Schema.Literal("session_diff"),
  session_id: SessionId,
  from: Schema.Int,
  to: Schema.Int,
  fold_version: Schema.Int,
  /** RFC 6902: what leads from the one state to the other. */
  patch: Schema.Array(JsonObject)
}).annotate({ identifier: "SessionDiff" })
export type SessionDiff = typeof SessionDiff.Type

export const diff = HttpApiEndpoint.get("diffState", "/v1/sessions/:id/diff", {
  params: one,
  query: { from: Seq, to: Schema.optionalKey(Seq) },
  success: SessionDiff,
  error: anyFailure
})

const Step = Schema.Struct({
  command_id: Schema.String,
  correlation_id: Schema.String,
  actor: Actor,
  seqs: Schema.Array(Schema.Int)
})

export const SessionCause = Schema.Struct({
  type: Schema.Literal("session_cause"),
  session_id: SessionId,
  seq: Schema.Int,
  event_type: Schema.String,
  /** The command that led to it, with all that it led to. */
  command: Step,
  /** From what it came, the nearest first. */
  causes: Schema.Array(
    Schema.Struct({
      seq: Schema.Int,
      event_type: Schema.String,
      by: Schema.Literals(["call", "request", "attempt", "turn", "input"]),
      command_id: Schema.String
    })
  ),
  /** Every command of the same request. */
  request: Schema.Array(Step)
}).annotate({ identifier: "SessionCause" })
export type SessionCause = typeof SessionCause.Type

export const why = HttpApiEndpoint.get("explainEvent", "/v1/sessions/:id/why/:seq", {
  params: { ...one, seq: Seq },
  success: SessionCause,
  error: anyFailure
})

const Finding = JsonObject
const found = { ok: Schema.Boolean, findings: Schema.Array(Finding) }

export const SessionVerification = Schema.Struct({
  type: Schema.Literal("session_verification"),
  session_id: SessionId,
  /** 0: the log is as it was written. 1: and its commands would be decided so again, and its snapshot is what it folds to. */
  level: Schema.Literals([0, 1]),
  ok: Schema.Boolean,
  version: Schema.Int,
  head: Schema.String,
  chain: Schema.Struct({ ...found, checked: Schema.Int, redacted: Schema.Int, found: Schema.Int }),
  decisions: Schema.NullOr(
    Schema.Struct({
      ...found,
      accepted: Schema.Int,
      rejected: Schema.Int,
      redacted: Schema.Int,
      found: Schema.Int
    })
  ),
  projection: Schema.NullOr(Schema.Struct(found)),
  /** The first event that this release can't read, if there is one. */
  unreadable: Schema.NullOr(Schema.String)
}).annotate({ identifier: "SessionVerification" })
export type SessionVerification = typeof SessionVerification.Type

export const verify = HttpApiEndpoint.get("verifySession", "/v1/sessions/:id/verify", {
  params: one,
  query: { level: Schema.optionalKey(Schema.Literals(["0", "1"])) },
  success: SessionVerification,
  error: anyFailure
})

/** Lines of JSON, as `verifyBundle` of the client reads them. */
export const exported = HttpApiEndpoint.get("exportSession", "/v1/sessions/:id/export", {
  params: one,
  success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-ndjson" }),
  error: anyFailure
})

export const output = HttpApiEndpoint.get("readOutput", "/v1/sessions/:id/output", {
  params: one,
  /** None: the answer of the last turn that has one. `all`: of every turn, in their order. */
  query: { turn: Schema.optionalKey(TurnId), all: Schema.optionalKey(Flag) },
  success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain" }),
  error: anyFailure
})

export const SessionModelRequest = Schema.Struct({
  type: Schema.Literal("session_model_request"),
  id: ModelRequestId,
  session_id: SessionId,
  /** Where the log says that it began. */
  seq: Schema.Int,
  provider: Schema.String,
  model: Schema.String,
  started_at: Schema.String,
  /** Null while it is under way. */
  outcome: Schema.NullOr(Schema.Literals(["succeeded", "failed", "cancelled", "unknown"])),
  /** What was sent, in the provider's own shape, without headers; null where it was not kept. */
  request: Schema.NullOr(Json),
  /** What was answered, block by block, with what was used; null where it was not kept. */
  response: Schema.NullOr(Json)
}).annotate({ identifier: "SessionModelRequest" })
export type SessionModelRequest = typeof SessionModelRequest.Type

export const modelRequest = HttpApiEndpoint.get("readModelRequest", "/v1/sessions/:id/model_requests/:request_id", {
  params: { ...one, request_id: ModelRequestId },
  success: SessionModelRequest,
  error: anyFailure
})

export const fork = HttpApiEndpoint.post("forkSession", "/v1/sessions/:id/fork", {
  params: one,
  payload: Schema.Struct({
    /** Where it leaves: after an event, or after a turn that has ended. Neither: where the log ends. */
    seq: Schema.optionalKey(Schema.NullOr(Seq)),
    turn: Schema.optionalKey(Schema.NullOr(TurnId)),
    title: Schema.optionalKey(Schema.NullOr(Text(512))),
    metadata: Schema.optionalKey(Metadata)
  }),
  success: Session,
  error: anyFailure
})

export const group = HttpApiGroup.make("replay").add(state, diff, why, verify, exported, output, modelRequest, fork)
