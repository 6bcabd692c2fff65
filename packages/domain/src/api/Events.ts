import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { SessionId, ThreadId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { Actor } from "../Actor.ts"
import { anyFailure } from "./ApiError.ts"
import { Flag, longPageQuery, Page, Time } from "./Page.ts"
import { MessageExtras } from "./Turns.ts"

/** An event as clients of the compatible API see it: its kind says which other fields there are. */
export const CompatEvent = Schema.StructWithRest(
  Schema.Struct({ id: Schema.String, type: Schema.String, processed_at: Schema.NullOr(Schema.String) }),
  [Schema.Record(Schema.String, Schema.Json)]
).annotate({ identifier: "Event" })
export type CompatEvent = typeof CompatEvent.Type

/** An event as it is in the log, with all that proves it. */
export const LogEvent = Schema.Struct({
  seq: Schema.Int,
  id: Schema.String,
  type: Schema.String,
  version: Schema.Int,
  recorded_at: Schema.String,
  thread_id: Schema.NullOr(Schema.String),
  actor: Actor,
  causation_id: Schema.String,
  correlation_id: Schema.String,
  epoch: Schema.Int,
  commitment: Schema.String,
  chain: Schema.String,
  /** Null once redacted. */
  payload: Schema.NullOr(JsonObject)
}).annotate({ identifier: "LogEvent" })
export type LogEvent = typeof LogEvent.Type

const one = { id: SessionId }
const ofThread = { ...one, thread: ThreadId }
const when = Schema.optionalKey(Time)
const Types = Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(100)))
const Order = Schema.optionalKey(Schema.Literals(["asc", "desc"]))

export const previewed = ["agent.message", "agent.thinking"] as const
export type Previewed = (typeof previewed)[number]

const listQuery = {
  ...longPageQuery,
  "types[]": Types,
  order: Order,
  "created_at[gt]": when,
  "created_at[gte]": when,
  "created_at[lt]": when,
  "created_at[lte]": when
}

export const list = HttpApiEndpoint.get("listEvents", "/v1/sessions/:id/events", {
  params: one,
  query: listQuery,
  success: Page(CompatEvent),
  error: anyFailure
})

/** Events are read by rules of their own, which say better what is wrong with one of them. */
export const send = HttpApiEndpoint.post("sendEvents", "/v1/sessions/:id/events", {
  params: one,
  payload: Schema.Struct({
    events: Schema.Array(JsonObject).check(Schema.isMinLength(1), Schema.isMaxLength(50))
  }),
  success: Schema.Struct({ data: Schema.Array(CompatEvent) }),
  error: anyFailure
})

const deltas = {
  "event_deltas[]": Schema.optionalKey(Schema.Array(Schema.Literals(previewed)).check(Schema.isMaxLength(100)))
}

/**
 * Says something and brings what comes of it: events from the message on, until the session rests. Sent again under its
 * `Idempotency-Key` it says nothing twice, and brings the same events from their beginning.
 */
export const message = HttpApiEndpoint.post("sendMessage", "/v1/sessions/:id/messages", {
  params: one,
  query: deltas,
  payload: Schema.Struct({
    content: Schema.Union([Schema.String, Schema.Array(JsonObject)]),
    troupe: Schema.optionalKey(MessageExtras)
  }),
  success: HttpApiSchema.StreamSse({ data: CompatEvent }),
  error: anyFailure
})

export const stream = HttpApiEndpoint.get("streamEvents", "/v1/sessions/:id/events/stream", {
  params: one,
  query: deltas,
  success: HttpApiSchema.StreamSse({ data: CompatEvent }),
  error: anyFailure
})

/** Of one thread: of the session's own, what the session shows; of another, that one's own trace. */
export const listOfThread = HttpApiEndpoint.get("listThreadEvents", "/v1/sessions/:id/threads/:thread/events", {
  params: ofThread,
  query: listQuery,
  success: Page(CompatEvent),
  error: anyFailure
})
export const streamOfThread = HttpApiEndpoint.get("streamThreadEvents", "/v1/sessions/:id/threads/:thread/stream", {
  params: ofThread,
  query: deltas,
  success: HttpApiSchema.StreamSse({ data: CompatEvent }),
  error: anyFailure
})

const After = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 })))

export const log = HttpApiEndpoint.get("readLog", "/v1/sessions/:id/log", {
  params: one,
  /** Of a log that is filtered, a page may be short, or empty, and not be the last one. */
  query: { after: After, limit: longPageQuery.limit, "types[]": Types },
  success: Schema.Struct({ data: Schema.Array(LogEvent), next_after: Schema.NullOr(Schema.Int) }),
  error: anyFailure
})

/**
 * Resumes after `after`, or after the sequence number in `Last-Event-ID`. With `deltas=true`, parts of blocks that are still
 * being written come in between, as `delta` events without an id: they may be missing, and are never wrong.
 */
export const logStream = HttpApiEndpoint.get("streamLog", "/v1/sessions/:id/log/stream", {
  params: one,
  query: { after: After, "types[]": Types, deltas: Schema.optionalKey(Flag) },
  success: HttpApiSchema.StreamSse({ data: LogEvent }),
  error: anyFailure
})

export const group = HttpApiGroup.make("events").add(
  list,
  send,
  message,
  stream,
  listOfThread,
  streamOfThread,
  log,
  logStream
)
