import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId, SessionId } from "../Ids.ts"
import { Json } from "../Json.ts"
import { PermissionPolicies, PermissionPolicy } from "../tools/PermissionPolicy.ts"
import { layerNames } from "../tools/PolicyLayers.ts"
import { presetNames } from "../tools/Presets.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"
import { Page, pageQuery } from "./Page.ts"

const Preset = Schema.Literals(presetNames)

/** A version of a workspace's policies, in the order in which verdicts count them. */
export const Policies = Schema.Struct({
  type: Schema.Literal("policies"),
  version: Schema.Int,
  policies: Schema.Array(PermissionPolicy),
  created_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Policies" })
export type Policies = typeof Policies.Type

export const PresetShown = Schema.Struct({ name: Schema.String, description: Schema.String })

export const retrieve = HttpApiEndpoint.get("retrievePolicies", "/v1/policies", {
  query: { version: Schema.optionalKey(Schema.Int) },
  success: Policies,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updatePolicies", "/v1/policies", {
  payload: Schema.Struct({
    /** The version that these follow. Where it is not the newest any more, nothing changes. */
    version: Schema.Int,
    policies: PermissionPolicies
  }),
  success: Policies,
  error: anyFailure
})
export const versions = HttpApiEndpoint.get("listPolicyVersions", "/v1/policies/versions", {
  query: pageQuery,
  success: Page(Policies),
  error: anyFailure
})
export const presets = HttpApiEndpoint.get("listPresets", "/v1/policies/presets", {
  query: pageQuery,
  success: Page(PresetShown),
  error: anyFailure
})

/** A call that nobody makes, to be judged. */
export const DryRun = Schema.Struct({
  tool: Name(256),
  /** The MCP server whose tool it is. */
  server: Schema.optionalKey(Schema.NullOr(Name(255))),
  input: Schema.optionalKey(Json),
  /** Of tools that are not built in: whether it only looks. */
  read_only: Schema.optionalKey(Schema.Boolean),
  agent_id: Schema.optionalKey(AgentId),
  agent_version: Schema.optionalKey(Schema.Int),
  session_id: Schema.optionalKey(SessionId),
  /** The preset of the turn. */
  preset: Schema.optionalKey(Schema.NullOr(Preset)),
  /** In the place of the workspace's own, to try them before they hold. */
  policies: Schema.optionalKey(PermissionPolicies)
})
export type DryRun = typeof DryRun.Type

export const DryRunVerdict = Schema.Struct({
  type: Schema.Literal("policy_verdict"),
  verdict: Schema.Literals(["allow", "ask", "deny"]),
  rule: Schema.String,
  layer: Schema.Literals([...layerNames, "tool", "catalog", "isolation", "nothing"]),
  reason: Schema.NullOr(Schema.String),
  /** A model is asked first, and a person where that does not settle it. */
  auto: Schema.Boolean,
  /** Of the workspace's policies that were looked at; null where others were tried. */
  policies_version: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "PolicyVerdict" })
export type DryRunVerdict = typeof DryRunVerdict.Type

export const dryRun = HttpApiEndpoint.post("dryRunPolicies", "/v1/policies/dry_run", {
  payload: DryRun,
  success: DryRunVerdict,
  error: anyFailure
})

export const group = HttpApiGroup.make("policies").add(retrieve, update, versions, presets, dryRun)
