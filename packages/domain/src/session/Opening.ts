import { Schema } from "effect"
import {
  AgentId,
  DeploymentId,
  EnvironmentId,
  EventId,
  ProjectId,
  ResourceId,
  SessionId,
  ThreadId,
  VaultId,
  WorkspaceId
} from "../Ids.ts"
import { Json, JsonObject } from "../Json.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { ModelOptions } from "../models/ModelOptions.ts"
import { Budget } from "./Budget.ts"

/** The agent as it was when the session opened: a session runs this version for ever. */
export const AgentSnapshot = Schema.Struct({
  agentId: AgentId,
  version: Schema.Int,
  digest: Sha256Hex,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  model: Schema.Struct({
    id: Schema.String,
    effort: Schema.optionalKey(Schema.String),
    speed: Schema.optionalKey(Schema.String),
    temperature: Schema.optionalKey(ModelOptions.fields.temperature),
    maxTokens: Schema.optionalKey(ModelOptions.fields.maxTokens),
    output: Schema.optionalKey(ModelOptions.fields.output)
  }),
  auxModel: Schema.NullOr(Schema.String),
  /** How many requests a turn may make of models; absent: as many as the harness does by itself. */
  maxSteps: Schema.optionalKey(ModelOptions.fields.maxSteps),
  /** What models are sent and answer is kept beside the log. */
  keepModelRequests: Schema.optionalKey(Schema.Boolean),
  system: Schema.NullOr(Schema.String),
  harness: Schema.String,
  tools: Schema.Array(JsonObject),
  mcpServers: Schema.Array(JsonObject),
  skills: Schema.Array(JsonObject),
  policies: Schema.Array(JsonObject),
  multiagent: Schema.NullOr(Json)
})
export type AgentSnapshot = typeof AgentSnapshot.Type

export const EnvironmentSnapshot = Schema.Struct({
  environmentId: EnvironmentId,
  digest: Sha256Hex,
  name: Schema.String,
  config: JsonObject
})
export type EnvironmentSnapshot = typeof EnvironmentSnapshot.Type

export const Origin = Schema.Union([
  Schema.Struct({ type: Schema.Literals(["api", "console", "cli", "webhook", "mcp", "eval", "import"]) }),
  Schema.Struct({ type: Schema.Literal("schedule"), scheduleId: Schema.String, scheduledAt: Schema.Int }),
  Schema.Struct({ type: Schema.Literal("integration"), integration: Schema.String }),
  Schema.Struct({ type: Schema.Literal("parent"), sessionId: SessionId, threadId: ThreadId }),
  /** A fork names the place it left from, and the chain there: what came before is proved, and never read again. */
  Schema.Struct({
    type: Schema.Literal("fork"),
    sessionId: SessionId,
    seq: Schema.Int,
    chain: Sha256Hex,
    /** The last checkpoint of the working copy there, if there was one, and the calls whose effects it lacks. */
    checkpoint: Schema.optionalKey(Schema.Struct({ checkpoint: Schema.String, lacks: Schema.Array(EventId) }))
  })
])
export type Origin = typeof Origin.Type

export const Resource = Schema.Struct({ resourceId: ResourceId, type: Schema.String, spec: JsonObject })
export type Resource = typeof Resource.Type

export const Metadata = Schema.Record(Schema.String, Schema.String)
export type Metadata = typeof Metadata.Type

export const Lifecycle = Schema.Struct({
  /** Once nothing is left to do: stay, have the sandbox put away until there is, or be deleted. */
  onIdle: Schema.Literals(["retain", "sleep", "delete"]),
  /** A session whose last turn failed is not deleted by itself. */
  keepFailed: Schema.Boolean,
  /** Milliseconds after its last activity that an idle session is deleted. */
  ttlMs: Schema.NullOr(Schema.Int.check(Schema.isGreaterThan(0)))
})
export type Lifecycle = typeof Lifecycle.Type

/** All that a session is opened with. */
export const opening = {
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  /** The id of the primary thread. */
  threadId: ThreadId,
  agent: AgentSnapshot,
  environment: Schema.NullOr(EnvironmentSnapshot),
  resources: Schema.Array(Resource),
  vaultIds: Schema.Array(VaultId),
  title: Schema.NullOr(Schema.String),
  metadata: Metadata,
  labels: Schema.Array(Schema.String),
  budget: Budget,
  origin: Origin,
  createdBy: Schema.String,
  projectId: Schema.NullOr(ProjectId),
  visibility: Schema.Literals(["private", "workspace", "link"]),
  endUser: Schema.NullOr(Schema.String),
  deploymentId: Schema.NullOr(DeploymentId),
  externalThreadKey: Schema.NullOr(Schema.String),
  lifecycle: Lifecycle
}
