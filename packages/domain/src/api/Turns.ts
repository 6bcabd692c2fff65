import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { SessionId, TurnId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, Name } from "./Common.ts"
import { pageQuery } from "./Page.ts"

/** What one turn does differently from its session. */
const overrides = {
  model: Schema.optionalKey(Name(256)),
  effort: Schema.optionalKey(Name(64)),
  tools: Schema.optionalKey(Schema.Array(JsonObject).check(Schema.isMaxLength(128))),
  permission_preset: Schema.optionalKey(Name(64)),
  metadata: Schema.optionalKey(Metadata)
}
export const Overrides = Schema.Struct(overrides)
export type Overrides = typeof Overrides.Type

/** What a message says beside its content, under `troupe`. */
export const MessageExtras = Schema.Struct({ overrides: Schema.optionalKey(Overrides) })

export const turnStatuses = [
  "queued",
  "running",
  "waiting",
  "rescheduling",
  "completed",
  "interrupted",
  "failed"
] as const

export const Turn = Schema.Struct({
  id: TurnId,
  type: Schema.Literal("turn"),
  thread_id: Schema.String,
  status: Schema.Literals(turnStatuses),
  /** The event that it was made for: the message's. */
  event_id: Schema.NullOr(Schema.String),
  content: Schema.Array(JsonObject),
  overrides: Overrides,
  needs_approval: Schema.Boolean,
  /** Where it began and ended in the log. Null where it has not, or not yet. */
  started_seq: Schema.NullOr(Schema.Int),
  started_at: Schema.NullOr(Schema.String),
  ended_seq: Schema.NullOr(Schema.Int),
  ended_at: Schema.NullOr(Schema.String),
  stop_reason: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.Struct({ code: Schema.String, message: Schema.String }))
}).annotate({ identifier: "Turn" })
export type Turn = typeof Turn.Type

/** What waits in a thread. Each change of it makes a new version. */
export const TurnQueue = Schema.Struct({
  type: Schema.Literal("turn_queue"),
  thread_id: Schema.String,
  version: Schema.Int,
  /** The turn that the thread has begun and not ended. */
  current: Schema.NullOr(TurnId),
  data: Schema.Array(Turn)
}).annotate({ identifier: "TurnQueue" })
export type TurnQueue = typeof TurnQueue.Type

const one = { id: SessionId, turn: TurnId }
/** The version that the client saw: another one by now is 409, and says which. Null or none: whatever is there. */
const seen = { queue_version: Schema.optionalKey(Schema.NullOr(Schema.Int)) }

export const list = HttpApiEndpoint.get("listTurns", "/v1/sessions/:id/turns", {
  params: { id: SessionId },
  query: { ...pageQuery, order: Schema.optionalKey(Schema.Literals(["asc", "desc"])) },
  success: Schema.Struct({
    /** What waits, thread by thread. */
    queues: Schema.Array(TurnQueue),
    /** What has begun, the last one first. */
    data: Schema.Array(Turn),
    next_page: Schema.NullOr(Schema.String)
  }),
  error: anyFailure
})

const action = <const Fields extends Schema.Struct.Fields>(name: string, path: string, fields: Fields) =>
  HttpApiEndpoint.post(name, `/v1/sessions/:id/turns/:turn${path}` as "/v1/sessions/:id/turns/:turn", {
    params: one,
    payload: Schema.Struct(fields),
    success: TurnQueue,
    error: anyFailure
  })

/** Another message, other settings, or both, while it waits. */
export const edit = action("editTurn", "", {
  ...seen,
  content: Schema.optionalKey(Schema.Array(JsonObject).check(Schema.isMinLength(1), Schema.isMaxLength(1_000))),
  overrides: Schema.optionalKey(Overrides)
})
/** Before another turn that waits; null: behind all. */
export const move = action("moveTurn", "/move", { ...seen, before: Schema.NullOr(TurnId) })
export const withdraw = action("withdrawTurn", "/withdraw", seen)
/** Its message joins the turn that runs. */
export const steer = action("steerTurn", "/steer", seen)
/** Lets one begin that waits for approval. */
export const approve = action("approveTurn", "/approve", seen)
/** Tries one again that failed, or that does not know whether a call of it happened. */
export const retry = action("retryTurn", "/retry", {})

export const group = HttpApiGroup.make("turns").add(list, edit, move, withdraw, steer, approve, retry)
