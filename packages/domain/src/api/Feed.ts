import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { SessionId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Runner } from "./Workspace.ts"

/** A session as lists show it, in little. */
export const SessionSummary = Schema.Struct({
  id: SessionId,
  type: Schema.Literal("session_summary"),
  status: Schema.String,
  stop_reason: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  agent_id: Schema.String,
  open_requests: Schema.Int,
  turns: Schema.Int,
  tokens: Schema.Int,
  cost_micro_usd: Schema.NullOr(Schema.Int),
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "SessionSummary" })
export type SessionSummary = typeof SessionSummary.Type

/** What changed in a workspace. Each names what to look at; what is missed is found in the lists. */
export const WorkspaceChange = Schema.Union([
  Schema.Struct({ type: Schema.Literal("session.changed"), session: SessionSummary }),
  Schema.Struct({ type: Schema.Literal("session.deleted"), session_id: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("inbox.opened"),
    kind: Schema.Literals(["approval", "question"]),
    id: Schema.String,
    session_id: Schema.String,
    tool: Schema.String
  }),
  /** Without an id, all that the turn asked. */
  Schema.Struct({
    type: Schema.Literal("inbox.closed"),
    id: Schema.NullOr(Schema.String),
    session_id: Schema.String,
    turn_id: Schema.NullOr(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("runner.changed"), runner: Runner }),
  /** What came before this is not told one by one: lists say where everything stands. */
  Schema.Struct({ type: Schema.Literal("reset") }),
  /** Everything before this was told. */
  Schema.Struct({ type: Schema.Literal("at") })
]).annotate({ identifier: "WorkspaceChange" })
export type WorkspaceChange = typeof WorkspaceChange.Type

/** Begins at the present, or goes on after `after` or `Last-Event-ID`: a cursor that one of its events had as its id. */
export const workspaceStream = HttpApiEndpoint.get("streamWorkspace", "/v1/log/stream", {
  query: { after: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64))) },
  success: HttpApiSchema.StreamSse({ data: WorkspaceChange }),
  error: anyFailure
})

/** What a client of the feed says, as JSON. */
export const FeedRequest = Schema.Union([
  /** From after `after` on: what was, and then what comes. Said again of a session, it begins anew. */
  Schema.Struct({
    type: Schema.Literal("subscribe"),
    session_id: SessionId,
    after: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))),
    types: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(100))),
    deltas: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({ type: Schema.Literal("unsubscribe"), session_id: SessionId }),
  /** Everything up to the message of this number was taken. */
  Schema.Struct({ type: Schema.Literal("ack"), n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)) })
])
export type FeedRequest = typeof FeedRequest.Type

/** A WebSocket that carries the logs of many sessions: `docs/feed.md` has its messages. */
export const feed = HttpApiEndpoint.get("openFeed", "/v1/feed", { success: Schema.Void, error: anyFailure })

/** A WebSocket for services, with sessions over RPC: `SessionRpc` has its calls, `docs/rpc.md` its messages. */
export const rpc = HttpApiEndpoint.get("openRpc", "/v1/rpc", { success: Schema.Void, error: anyFailure })

export const group = HttpApiGroup.make("feed").add(workspaceStream, feed, rpc)
