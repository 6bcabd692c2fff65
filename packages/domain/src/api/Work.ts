import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { EnvironmentId, SessionId, WorkId } from "../Ids.ts"
import { anyFailure, ErrorBody } from "./ApiError.ts"
import { MetadataPatch } from "./Common.ts"
import { Page, pageQuery } from "./Page.ts"

/** `queued` lasts until a worker says that it has it; `stopping` until it says that it has let go. */
export const WorkState = Schema.Literals(["queued", "starting", "active", "stopping", "stopped"])
export type WorkState = typeof WorkState.Type

const Moment = Schema.NullOr(Schema.String)

/** A session of a self-hosted environment that somebody's worker has to look after. */
export const Work = Schema.Struct({
  id: WorkId,
  type: Schema.Literal("work"),
  environment_id: EnvironmentId,
  data: Schema.Struct({ type: Schema.Literal("session"), id: SessionId }),
  state: WorkState,
  metadata: Schema.Record(Schema.String, Schema.String),
  /** With polled work: base64url of JSON whose `sessions_token` opens this session, and keeps this work up. */
  secret: Schema.NullOr(Schema.String),
  created_at: Schema.String,
  acknowledged_at: Moment,
  started_at: Moment,
  latest_heartbeat_at: Moment,
  stop_requested_at: Moment,
  stopped_at: Moment
}).annotate({ identifier: "Work" })
export type Work = typeof Work.Type

/** The first heartbeat of a claim names this as what it expects. */
export const noHeartbeat = "NO_HEARTBEAT"

const lease = {
  /** To be named by the next heartbeat as it is. */
  last_heartbeat: Schema.String,
  lease_extended: Schema.Boolean,
  state: WorkState,
  ttl_seconds: Schema.Int
}
export const Heartbeat = Schema.Struct({ type: Schema.Literal("work_heartbeat"), ...lease }).annotate({
  identifier: "WorkHeartbeat"
})

export const WorkStats = Schema.Struct({
  type: Schema.Literal("work_queue_stats"),
  /** Work that waits to be picked up. */
  depth: Schema.Int,
  /** Work that was polled and not acknowledged yet. */
  pending: Schema.Int,
  oldest_queued_at: Moment,
  /** Workers that asked within the last 30 seconds and said who they are. */
  workers_polling: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "WorkStats" })

const one = { id: EnvironmentId }
const named = { id: EnvironmentId, work: WorkId }
const between = (minimum: number, maximum: number) =>
  Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

export const poll = HttpApiEndpoint.get("pollWork", "/v1/environments/:id/work/poll", {
  params: one,
  query: { block_ms: between(1, 999), reclaim_older_than_ms: between(0, 86_400_000) },
  success: Schema.NullOr(Work),
  error: anyFailure
})
export const stats = HttpApiEndpoint.get("workStats", "/v1/environments/:id/work/stats", {
  params: one,
  success: WorkStats,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listWork", "/v1/environments/:id/work", {
  params: one,
  query: pageQuery,
  success: Page(Work),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveWork", "/v1/environments/:id/work/:work", {
  params: named,
  success: Work,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateWork", "/v1/environments/:id/work/:work", {
  params: named,
  payload: Schema.Struct({ metadata: MetadataPatch }),
  success: Work,
  error: anyFailure
})
export const ack = HttpApiEndpoint.post("acknowledgeWork", "/v1/environments/:id/work/:work/ack", {
  params: named,
  success: Work,
  error: anyFailure
})
export const heartbeat = HttpApiEndpoint.post("heartbeatWork", "/v1/environments/:id/work/:work/heartbeat", {
  params: named,
  query: {
    desired_ttl_seconds: between(1, 3_600),
    /** `NO_HEARTBEAT` at first, later what the heartbeat before was answered with. */
    expected_last_heartbeat: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64)))
  },
  success: Heartbeat,
  error: [...anyFailure, ErrorBody.annotate({ identifier: "Error412" }).pipe(HttpApiSchema.status(412))]
})
export const stop = HttpApiEndpoint.post("stopWork", "/v1/environments/:id/work/:work/stop", {
  params: named,
  payload: Schema.Struct({ force: Schema.optionalKey(Schema.NullOr(Schema.Boolean)) }),
  success: Work,
  error: anyFailure
})

export const group = HttpApiGroup.make("work").add(poll, stats, list, retrieve, update, ack, heartbeat, stop)
