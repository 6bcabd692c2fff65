import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { ModelOptions } from "../models/ModelOptions.ts"
import { PermissionPolicies } from "../tools/PermissionPolicy.ts"
import { toolsMax } from "../tools/Toolset.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, MetadataPatch, Name, Text } from "./Common.ts"
import { Flag, Page, pageQuery, Time } from "./Page.ts"

export const efforts = ["low", "medium", "high", "xhigh", "max"] as const
const Effort = Schema.Literals(efforts)
const Speed = Schema.Literals(["standard", "fast"])

export const ModelIn = Schema.Union([
  Name(256),
  Schema.Struct({
    id: Name(256),
    effort: Schema.optionalKey(Schema.NullOr(Schema.Union([Effort, Schema.Struct({ type: Effort })]))),
    speed: Schema.optionalKey(Schema.NullOr(Speed)),
    inference_geo: Schema.optionalKey(Schema.NullOr(Name(64)))
  })
])
export type ModelIn = typeof ModelIn.Type

export const Model = Schema.Struct({
  id: Schema.String,
  effort: Schema.optionalKey(Schema.Struct({ type: Effort })),
  speed: Schema.optionalKey(Speed),
  inference_geo: Schema.optionalKey(Schema.String)
})
export type Model = typeof Model.Type

const SkillIn = Schema.Struct({
  type: Schema.Literals(["custom", "anthropic"]),
  skill_id: Name(128),
  version: Schema.optionalKey(Schema.NullOr(Schema.String))
})

/** Tools and servers are read by rules of their own, which say better what is wrong with one of them. */
export const Tools = Schema.Array(JsonObject).check(Schema.isMaxLength(toolsMax))
export const Servers = Schema.Array(JsonObject).check(Schema.isMaxLength(20))
const Skills = Schema.Array(SkillIn).check(Schema.isMaxLength(20))
const Identity = Schema.Union([
  Schema.Struct({ type: Schema.Literal("service_account") }),
  Schema.Struct({ type: Schema.Literal("aws_role"), role_arn: Schema.String })
])

/** Our own settings of an agent. */
export const AgentExtras = Schema.Struct({
  /** What drives the model: null is the installation's choice. */
  harness: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,63}$/)))),
  /** The model for small tasks beside the conversation. */
  aux_model: Schema.optionalKey(Schema.NullOr(Name(256))),
  temperature: Schema.optionalKey(Schema.NullOr(ModelOptions.fields.temperature)),
  /** How long an answer may get. */
  max_tokens: Schema.optionalKey(Schema.NullOr(ModelOptions.fields.maxTokens)),
  /** How many requests a turn may make of models before it ends, with `max_steps` as the reason. */
  max_steps: Schema.optionalKey(Schema.NullOr(ModelOptions.fields.maxSteps)),
  /** Keeps what models are sent and what they answer, beside the log. */
  keep_model_requests: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  /** JSON Schema that each answer is to fit. */
  output_schema: Schema.optionalKey(Schema.NullOr(JsonObject)),
  /** What its calls are held to, beside the policies of the server and the workspace. */
  policies: Schema.optionalKey(Schema.NullOr(PermissionPolicies))
})
export type AgentExtras = typeof AgentExtras.Type

const common = {
  description: Schema.optionalKey(Schema.NullOr(Text(2_048))),
  system: Schema.optionalKey(Schema.NullOr(Text(100_000))),
  multiagent: Schema.optionalKey(Schema.NullOr(JsonObject)),
  execution_identity: Schema.optionalKey(Schema.NullOr(Identity)),
  troupe: Schema.optionalKey(AgentExtras)
}

export const AgentCreate = Schema.Struct({
  name: Name(256),
  /** May be left out where the workspace has a default. */
  model: Schema.optionalKey(ModelIn),
  tools: Schema.optionalKey(Tools),
  mcp_servers: Schema.optionalKey(Servers),
  skills: Schema.optionalKey(Skills),
  metadata: Schema.optionalKey(Metadata),
  ...common
})
export type AgentCreate = typeof AgentCreate.Type

export const AgentUpdate = Schema.Struct({
  version: Schema.optionalKey(Schema.Int),
  name: Schema.optionalKey(Name(256)),
  model: Schema.optionalKey(ModelIn),
  tools: Schema.optionalKey(Schema.NullOr(Tools)),
  mcp_servers: Schema.optionalKey(Schema.NullOr(Servers)),
  skills: Schema.optionalKey(Schema.NullOr(Skills)),
  metadata: Schema.optionalKey(Schema.NullOr(MetadataPatch)),
  ...common
})
export type AgentUpdate = typeof AgentUpdate.Type

/** What a version of an agent says: resolved, with every default written out. */
export const agentDefinition = {
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  model: Model,
  system: Schema.NullOr(Schema.String),
  tools: Schema.Array(JsonObject),
  mcp_servers: Schema.Array(JsonObject),
  skills: Schema.Array(JsonObject),
  multiagent: Schema.NullOr(Schema.Json),
  execution_identity: Identity,
  troupe: Schema.Struct({
    harness: Schema.NullOr(Schema.String),
    aux_model: Schema.NullOr(Schema.String),
    temperature: Schema.optionalKey(ModelOptions.fields.temperature),
    max_tokens: Schema.optionalKey(ModelOptions.fields.maxTokens),
    max_steps: Schema.optionalKey(ModelOptions.fields.maxSteps),
    keep_model_requests: Schema.optionalKey(Schema.Boolean),
    output_schema: Schema.optionalKey(JsonObject),
    policies: Schema.optionalKey(Schema.Array(JsonObject))
  })
}
export const AgentDefinition = Schema.Struct({
  ...agentDefinition,
  metadata: Schema.Record(Schema.String, Schema.String)
})
export type AgentDefinition = typeof AgentDefinition.Type

export const Agent = Schema.Struct({
  id: AgentId,
  type: Schema.Literal("agent"),
  ...AgentDefinition.fields,
  version: Schema.Int,
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Agent" })
export type Agent = typeof Agent.Type

const one = { id: AgentId }

export const create = HttpApiEndpoint.post("createAgent", "/v1/agents", {
  payload: AgentCreate,
  success: Agent,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listAgents", "/v1/agents", {
  query: {
    ...pageQuery,
    include_archived: Schema.optionalKey(Flag),
    "created_at[gte]": Schema.optionalKey(Time),
    "created_at[lte]": Schema.optionalKey(Time)
  },
  success: Page(Agent),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveAgent", "/v1/agents/:id", {
  params: one,
  query: { version: Schema.optionalKey(Schema.Int) },
  success: Agent,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateAgent", "/v1/agents/:id", {
  params: one,
  payload: AgentUpdate,
  success: Agent,
  error: anyFailure
})
export const archive = HttpApiEndpoint.post("archiveAgent", "/v1/agents/:id/archive", {
  params: one,
  success: Agent,
  error: anyFailure
})
export const versions = HttpApiEndpoint.get("listAgentVersions", "/v1/agents/:id/versions", {
  params: one,
  query: pageQuery,
  success: Page(Agent),
  error: anyFailure
})
export const version = HttpApiEndpoint.get("retrieveAgentVersion", "/v1/agents/:id/versions/:version", {
  params: { ...one, version: Schema.Int },
  success: Agent,
  error: anyFailure
})

export const group = HttpApiGroup.make("agents").add(create, list, retrieve, update, archive, versions, version)
