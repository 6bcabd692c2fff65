import type { Agent } from "@troupe/client"

/** The parts of an agent that people write, as one text that can be compared and edited. */
export const definitionOf = (agent: Agent): string => {
  const { description, mcp_servers, metadata, model, name, skills, system, tools, troupe } = agent
  return JSON.stringify({ name, description, model, system, tools, mcp_servers, skills, metadata, troupe }, null, 2)
}

export type Read = { readonly _tag: "Read"; readonly value: object } | { readonly _tag: "Wrong"; readonly why: string }

export const readDefinition = (text: string): Read => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { _tag: "Read", value }
      : { _tag: "Wrong", why: "An agent is a JSON object." }
  } catch (error) {
    return { _tag: "Wrong", why: error instanceof Error ? error.message : String(error) }
  }
}

/** What an agent may use, in a few words. */
export const toolsOf = ({ mcp_servers, tools }: Agent): string => {
  const parts = tools.flatMap((tool) => {
    if (tool["type"] === "agent_toolset_20260401") return ["built-in tools"]
    if (tool["type"] === "custom" && typeof tool["name"] === "string") return [tool["name"]]
    return []
  })
  if (mcp_servers.length > 0)
    parts.push(mcp_servers.length === 1 ? "1 MCP server" : `${mcp_servers.length} MCP servers`)
  return parts.length === 0 ? "no tools" : parts.join(", ")
}

export interface AgentDraft {
  readonly name: string
  readonly model: string
  readonly system: string
  readonly permission: Permission
}

export type Permission = "always_allow" | "always_ask"

/** Which of the two policies the built-in tools have, for the choice of a form. */
export const permissionOf = (agent: Pick<Agent, "tools"> | null): Permission => {
  const toolset = agent?.tools.find((tool) => tool["type"] === "agent_toolset_20260401")
  const policy = (
    toolset?.["default_config"] as { readonly permission_policy?: { readonly type?: string } } | undefined
  )?.permission_policy?.type
  return policy === "always_ask" ? "always_ask" : "always_allow"
}

/** A form as a change of its agent: what it does not show stays as it is. */
export const changeOf = (
  agent: Agent,
  { model, name, permission, system }: AgentDraft
): Readonly<Record<string, unknown>> => ({
  name,
  model: model === agent.model.id ? agent.model : model,
  system: system === "" ? null : system,
  ...(permission === permissionOf(agent)
    ? {}
    : { tools: [toolset(permission), ...agent.tools.filter(({ type }) => type !== "agent_toolset_20260401")] })
})

export const toolset = (permission: Permission) => ({
  type: "agent_toolset_20260401",
  default_config: { enabled: true, permission_policy: { type: permission } }
})
