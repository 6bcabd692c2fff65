import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { EventId, SessionId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { ApiFailure } from "./ApiError.ts"
import { CompatEvent } from "./Events.ts"
import { Approval } from "./Inbox.ts"
import { Session } from "./Sessions.ts"

/** Sent again under its key, a write is done once and answered alike, as with `Idempotency-Key`. */
const key = { key: Schema.optionalKey(Schema.String) }
const one = { id: SessionId }
const error = ApiFailure

/**
 * Sessions for services inside the network, over one WebSocket. What a call may do and what is wrong with it are judged as
 * of the endpoint of the same name, so bodies come as JSON and are read by its schemas.
 */
export class SessionRpc extends RpcGroup.make(
  Rpc.make("CreateSession", { payload: { ...key, body: JsonObject }, success: Session, error }),
  Rpc.make("RetrieveSession", { payload: one, success: Session, error }),
  Rpc.make("SendEvents", {
    payload: { ...key, ...one, events: Schema.Array(JsonObject) },
    success: Schema.Array(CompatEvent),
    error
  }),
  /** Calls of a session that wait to be allowed. */
  Rpc.make("ListApprovals", { payload: one, success: Schema.Array(Approval), error }),
  Rpc.make("AnswerApproval", {
    payload: { ...key, ...one, call: EventId, body: JsonObject },
    success: Schema.Struct({ event_id: Schema.String }),
    error
  }),
  /**
   * The log from behind `after` on: what was, then what comes, without a gap. Each item is the JSON of an event as
   * `/v1/sessions/{id}/log` has it, made once for all readers, or of a `delta`. Ends when the session is deleted; whatever
   * else ends it is a failure, and the log goes on behind the last event that was seen.
   */
  Rpc.make("FollowLog", {
    payload: {
      ...one,
      after: Schema.Int,
      types: Schema.optionalKey(Schema.Array(Schema.String)),
      deltas: Schema.optionalKey(Schema.Boolean)
    },
    success: Schema.String,
    error,
    stream: true
  })
) {}
