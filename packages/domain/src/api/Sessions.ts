import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId, DeploymentId, EnvironmentId, ProjectId, RunnerId, SessionId, ThreadId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { BudgetLimit, isCostCap } from "../session/Budget.ts"
import { PermissionPolicies } from "../tools/PermissionPolicy.ts"
import { Agent, ModelIn, Servers, Tools } from "./Agents.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, MetadataPatch, Name, Text } from "./Common.ts"
import { Flag, Page, pageQuery, Time } from "./Page.ts"
import { Labels } from "./Projects.ts"

const Money = Schema.Struct({ amount: Schema.String, currency: Schema.String })
const Cents = Schema.String.check(Schema.isPattern(/^[1-9]\d{0,11}$/))
export const BudgetIn = Schema.Struct({
  type: Schema.Literal("limit"),
  max_list_cost: Schema.Struct({ amount: Cents, currency: Schema.Literal("USD") })
})
export type BudgetIn = typeof BudgetIn.Type

const { hourMicroUsd: _hour, ...limitFields } = BudgetLimit.fields
const SessionLimit = Schema.Struct(limitFields)

/** What a session, or one turn of it, may use at most, beside its budget. A hard limit stops it, a soft one asks whether to go on. */
export const SessionLimits = Schema.Array(SessionLimit).check(
  Schema.isMaxLength(19),
  Schema.makeFilter((limits: ReadonlyArray<typeof SessionLimit.Type>) => {
    const at = limits.findIndex(isCostCap)
    return at < 0 ? undefined : { path: [at], issue: "a hard limit on what the session costs is its `budget`" }
  })
)
export type SessionLimits = typeof SessionLimits.Type

const Json = Schema.Array(JsonObject)

const AgentIn = Schema.Union([
  AgentId,
  Schema.Struct({ type: Schema.Literal("agent"), id: AgentId, version: Schema.optionalKey(Schema.Int) }),
  Schema.Struct({
    type: Schema.Literal("agent_with_overrides"),
    id: AgentId,
    version: Schema.optionalKey(Schema.Int),
    model: Schema.optionalKey(Schema.NullOr(ModelIn)),
    system: Schema.optionalKey(Schema.NullOr(Text(100_000))),
    tools: Schema.optionalKey(Schema.NullOr(Tools)),
    mcp_servers: Schema.optionalKey(Schema.NullOr(Servers)),
    skills: Schema.optionalKey(Schema.NullOr(Json))
  })
])
export type AgentIn = typeof AgentIn.Type

const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 31_536_000 }))

/** What becomes of a session by itself. */
export const Lifecycle = Schema.Struct({
  /** Once its turns are done: stay, end what runs in its sandbox until there is work again, or be deleted. */
  on_idle: Schema.Literals(["retain", "sleep", "delete"]),
  /** Whether a session whose last turn failed stays, whatever else is said. */
  keep_failed: Schema.Boolean,
  /** After so long without activity it is deleted; null: never. */
  ttl_seconds: Schema.NullOr(Seconds)
})
export type Lifecycle = typeof Lifecycle.Type

/** A directory of a runner's host, as it was registered there: the session's turns run on that runner alone. */
export const SessionDirectory = Schema.Struct({
  runner_id: RunnerId,
  path: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(4_096)),
  /** Whether the agent works in it, or on a copy that its working copy begins as. */
  use: Schema.Literals(["in_place", "copy"])
})
export type SessionDirectory = typeof SessionDirectory.Type

const title = Schema.optionalKey(Schema.NullOr(Text(512)))

/** Events and resources are read by rules of their own, which say better what is wrong with one of them. */
export const SessionCreate = Schema.Struct({
  /** May be left out where the session's project names one. */
  agent: Schema.optionalKey(AgentIn),
  environment_id: Schema.optionalKey(Schema.NullOr(EnvironmentId)),
  title,
  metadata: Schema.optionalKey(Metadata),
  resources: Schema.optionalKey(Json),
  vault_ids: Schema.optionalKey(Schema.Array(Schema.String)),
  initial_events: Schema.optionalKey(Json.check(Schema.isMaxLength(50))),
  budget: Schema.optionalKey(Schema.NullOr(BudgetIn)),
  troupe: Schema.optionalKey(
    Schema.Struct({
      /** Whose session it is, by the id that the user has in your product. */
      end_user: Schema.optionalKey(Name(128)),
      project_id: Schema.optionalKey(Schema.NullOr(ProjectId)),
      labels: Schema.optionalKey(Labels),
      limits: Schema.optionalKey(SessionLimits),
      /** What its calls are held to, beside the policies of the server, the workspace and the agent. */
      policies: Schema.optionalKey(PermissionPolicies),
      directory: Schema.optionalKey(Schema.NullOr(SessionDirectory)),
      lifecycle: Schema.optionalKey(
        Schema.Struct({
          on_idle: Schema.optionalKey(Lifecycle.fields.on_idle),
          keep_failed: Schema.optionalKey(Lifecycle.fields.keep_failed),
          ttl_seconds: Schema.optionalKey(Lifecycle.fields.ttl_seconds)
        })
      )
    })
  )
})
export type SessionCreate = typeof SessionCreate.Type

export const SessionUpdate = Schema.Struct({
  title,
  metadata: Schema.optionalKey(Schema.NullOr(MetadataPatch)),
  agent: Schema.optionalKey(
    Schema.Struct({
      tools: Schema.optionalKey(Schema.NullOr(Tools)),
      mcp_servers: Schema.optionalKey(Schema.NullOr(Servers))
    })
  ),
  budget: Schema.optionalKey(Schema.NullOr(BudgetIn)),
  vault_ids: Schema.optionalKey(Schema.Array(Schema.String)),
  troupe: Schema.optionalKey(
    Schema.Struct({
      limits: Schema.optionalKey(SessionLimits),
      /** In the place of all that it had; they hold from the next attempt on. */
      policies: Schema.optionalKey(PermissionPolicies)
    })
  )
})
export type SessionUpdate = typeof SessionUpdate.Type

const { archived_at: _, created_at: __, metadata: ___, updated_at: ____, ...agentFields } = Agent.fields
export const SessionAgent = Schema.Struct(agentFields).annotate({ identifier: "SessionAgent" })
export type SessionAgent = typeof SessionAgent.Type

export const statuses = ["idle", "running", "rescheduling", "terminated"] as const
export const Status = Schema.Literals(statuses)

export const Usage = Schema.Struct({
  input_tokens: Schema.Int,
  output_tokens: Schema.Int,
  cache_read_input_tokens: Schema.Int,
  cache_creation: Schema.Struct({ ephemeral_5m_input_tokens: Schema.Int, ephemeral_1h_input_tokens: Schema.Int }),
  active_seconds: Schema.Finite,
  /** Null while the price of a model that was used is not known. */
  list_cost: Schema.NullOr(Money),
  server_tool_use: Schema.NullOr(Schema.Struct({ web_search_requests: Schema.Int, web_fetch_requests: Schema.Int }))
})
export type Usage = typeof Usage.Type

/** What the tools of a session ran in last, and what kept them from the host: `none` where nothing did. */
export const SessionSandbox = Schema.Struct({ backend: Schema.String, isolation: Schema.String })
export type SessionSandbox = typeof SessionSandbox.Type

export const Session = Schema.Struct({
  id: SessionId,
  type: Schema.Literal("session"),
  status: Status,
  agent: SessionAgent,
  environment_id: Schema.NullOr(EnvironmentId),
  title: Schema.NullOr(Schema.String),
  metadata: Schema.Record(Schema.String, Schema.String),
  resources: Schema.Array(JsonObject),
  vault_ids: Schema.Array(Schema.String),
  budget: Schema.NullOr(BudgetIn),
  outcome_evaluations: Schema.Array(JsonObject),
  stats: Schema.Struct({ active_seconds: Schema.Finite, duration_seconds: Schema.Finite }),
  usage: Usage,
  deployment_id: Schema.NullOr(DeploymentId),
  troupe: Schema.Struct({
    project_id: Schema.NullOr(ProjectId),
    labels: Schema.Array(Schema.String),
    limits: Schema.Array(SessionLimit),
    policies: Schema.Array(JsonObject),
    directory: Schema.NullOr(SessionDirectory),
    lifecycle: Lifecycle,
    sandbox: Schema.NullOr(SessionSandbox)
  }),
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Session" })
export type Session = typeof Session.Type

export const Thread = Schema.Struct({
  id: ThreadId,
  type: Schema.Literal("session_thread"),
  session_id: SessionId,
  agent: SessionAgent,
  status: Status,
  parent_thread_id: Schema.NullOr(ThreadId),
  stats: Schema.NullOr(JsonObject),
  usage: Schema.NullOr(JsonObject),
  workflow_run_id: Schema.Null,
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "SessionThread" })
export type Thread = typeof Thread.Type

const one = { id: SessionId }
const when = Schema.optionalKey(Time)

export const create = HttpApiEndpoint.post("createSession", "/v1/sessions", {
  payload: SessionCreate,
  success: Session,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listSessions", "/v1/sessions", {
  query: {
    ...pageQuery,
    agent_id: Schema.optionalKey(AgentId),
    agent_version: Schema.optionalKey(Schema.Int),
    deployment_id: Schema.optionalKey(Schema.String),
    project_id: Schema.optionalKey(ProjectId),
    memory_store_id: Schema.optionalKey(Schema.String),
    "statuses[]": Schema.optionalKey(Schema.Array(Status)),
    include_archived: Schema.optionalKey(Flag),
    order: Schema.optionalKey(Schema.Literals(["asc", "desc"])),
    "created_at[gt]": when,
    "created_at[gte]": when,
    "created_at[lt]": when,
    "created_at[lte]": when
  },
  success: Schema.Struct({ ...Page(Session).fields, prev_page: Schema.NullOr(Schema.String) }),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveSession", "/v1/sessions/:id", {
  params: one,
  success: Session,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateSession", "/v1/sessions/:id", {
  params: one,
  payload: SessionUpdate,
  success: Session,
  error: anyFailure
})
export const archive = HttpApiEndpoint.post("archiveSession", "/v1/sessions/:id/archive", {
  params: one,
  success: Session,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteSession", "/v1/sessions/:id", {
  params: one,
  success: Schema.Struct({ id: SessionId, type: Schema.Literal("session_deleted") }),
  error: anyFailure
})
export const pause = HttpApiEndpoint.post("pauseSession", "/v1/sessions/:id/pause", {
  params: one,
  success: Session,
  error: anyFailure
})
export const resume = HttpApiEndpoint.post("resumeSession", "/v1/sessions/:id/resume", {
  params: one,
  success: Session,
  error: anyFailure
})
export const threads = HttpApiEndpoint.get("listThreads", "/v1/sessions/:id/threads", {
  params: one,
  query: { ...pageQuery, "statuses[]": Schema.optionalKey(Schema.Array(Status)) },
  success: Page(Thread),
  error: anyFailure
})
export const thread = HttpApiEndpoint.get("retrieveThread", "/v1/sessions/:id/threads/:thread", {
  params: { ...one, thread: ThreadId },
  success: Thread,
  error: anyFailure
})
export const archiveThread = HttpApiEndpoint.post("archiveThread", "/v1/sessions/:id/threads/:thread/archive", {
  params: { ...one, thread: ThreadId },
  success: Thread,
  error: anyFailure
})

export const group = HttpApiGroup.make("sessions").add(
  create,
  list,
  retrieve,
  update,
  archive,
  remove,
  pause,
  resume,
  threads,
  thread,
  archiveThread
)
