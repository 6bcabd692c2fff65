import type { Json, JsonObject } from "../Json.ts"
import { callFacts } from "./callFacts.ts"
import { permit, type Verdict } from "./Permission.ts"
import { type LayerName, layerNames, type PolicyLayer } from "./PolicyLayers.ts"
import { toolEntries, type ToolEntry } from "./Toolset.ts"

/** A call that nobody makes. */
export interface SupposedCall {
  readonly name: string
  readonly server: string | null
  readonly input: Json
  /** Said of tools that are not built in; those of a server that say nothing may change something. */
  readonly readOnly: boolean
}

export interface Supposed {
  readonly layers: ReadonlyArray<PolicyLayer>
  /** The agent's; null where the call is judged without one, by what built-in tools usually say of themselves. */
  readonly tools: ReadonlyArray<JsonObject> | null
  /** Nothing keeps what runs there from the host. */
  readonly unisolated: boolean
}

/** Who has spoken: a layer, the tool's own policy, or nobody. */
export type Speaker = LayerName | "tool" | "catalog" | "isolation" | "nothing"

/** Where a session's directory is, for patterns that are relative. */
const workspace = "/workspace"
const usualTools: ReadonlyArray<JsonObject> = [{ type: "agent_toolset_20260401" }]

const isMeant = (entry: ToolEntry, { name, server }: SupposedCall): boolean => {
  switch (entry._tag) {
    case "Mcp":
      return entry.server === server && (entry.configs[name] ?? entry.defaults).enabled !== false
    default:
      return server === null && entry.name === name
  }
}

/** As a model calls it. */
const nameOf = ({ name, server }: SupposedCall): string =>
  server === null || name.startsWith("mcp__") ? name : `mcp__${server}__${name}`

const policyOf = (entry: ToolEntry, name: string): unknown => {
  switch (entry._tag) {
    case "Custom":
      return { type: "always_allow" }
    case "Mcp":
      return { ...entry.defaults, ...entry.configs[name] }.permission_policy
    default:
      return entry.config.permission_policy
  }
}

const speakerOf = (rule: string): Speaker => {
  const first = rule.split(/[.[]/, 1)[0]!
  const known: ReadonlyArray<Speaker> = [...layerNames, "isolation", "nothing"]
  return known.find((one) => one === first) ?? "tool"
}

/** What the policies would say of a call, and who of those that have a say. */
export const dryRun = (supposed: Supposed, call: SupposedCall): Verdict & { readonly speaker: Speaker } => {
  const { layers, unisolated } = supposed
  const { entries } = toolEntries(supposed.tools ?? usualTools)
  const entry = entries.find((one) => isMeant(one, call))
  if (entry === undefined && (supposed.tools !== null || call.server === null)) {
    return { permission: "deny", rule: "catalog", reason: "the agent has no such tool", speaker: "catalog" }
  }
  const builtIn = entry?._tag === "BuiltIn"
  const facts = builtIn
    ? callFacts[entry.name]
    : { readOnly: entry?._tag === "Platform" || call.readOnly, paths: [], scripts: [] }
  const verdict = permit(
    {
      layers,
      policy: entry === undefined ? { type: "always_ask" } : policyOf(entry, call.name),
      unisolated: unisolated && builtIn && !call.name.startsWith("web_")
    },
    { ...facts, name: nameOf(call), server: call.server, input: call.input, workspace }
  )
  return { ...verdict, speaker: speakerOf(verdict.rule) }
}
