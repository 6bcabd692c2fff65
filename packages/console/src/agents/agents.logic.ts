import type { Agent } from "@troupe/client"
import { type Policy, readPolicies, textOf } from "../policies/policies.logic.ts"
import { type Choices, withChoices } from "./toolChoices.logic.ts"

/** The parts of an agent that people write, as one text that can be compared and edited. */
export const definitionOf = (agent: Agent): string => {
  const { description, mcp_servers, metadata, model, name, skills, system, tools, troupe } = agent
  return JSON.stringify({ name, description, model, system, tools, mcp_servers, skills, metadata, troupe }, null, 2)
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
  /** Those of the workspace's list. */
  readonly servers: ReadonlyArray<RegisteredServer>
  /** What it may do with the tools of a server, by the server's name; as it was, where nothing is said. */
  readonly choices?: Readonly<Record<string, Choices>>
  /** As text; as they were, where nothing is said. */
  readonly policies?: string
}

export interface RegisteredServer {
  readonly id: string
  readonly name: string
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

/** The servers of the workspace's list that an agent names, as it calls them. */
export const serversOf = (agent: Pick<Agent, "mcp_servers"> | null): ReadonlyArray<RegisteredServer> =>
  (agent?.mcp_servers ?? []).flatMap(({ name, server_id: id }) =>
    typeof name === "string" && typeof id === "string" ? [{ id, name }] : []
  )

/** What an agent's calls are held to, as text. */
export const policiesOf = (agent: Pick<Agent, "troupe"> | null): string => textOf(agent?.troupe.policies ?? [])

/** The policies of a form as a part of an agent; nothing where there are none or they can't be read. */
export const withPolicies = (text: string): { readonly troupe?: { readonly policies: ReadonlyArray<Policy> } } => {
  const read = readPolicies(text)
  return read._tag === "Read" ? { troupe: { policies: read.policies } } : {}
}

type Entry = Agent["tools"][number]

/** An agent's servers and the toolsets that use them, with these of the list; those by address stay as they are. */
export const withServers = (
  { mcp_servers, tools }: { readonly mcp_servers: ReadonlyArray<Entry>; readonly tools: ReadonlyArray<Entry> },
  servers: ReadonlyArray<RegisteredServer>
) => {
  const wanted = new Set(servers.map(({ id }) => id))
  const gone = mcp_servers.filter(({ server_id: id }) => typeof id === "string" && !wanted.has(id))
  const known = new Set(mcp_servers.map(({ server_id: id }) => id))
  const added = servers.filter(({ id }) => !known.has(id))
  const names = new Set(gone.map(({ name }) => name))
  return {
    mcp_servers: [
      ...mcp_servers.filter((entry) => !gone.includes(entry)),
      ...added.map(({ id, name }) => ({ type: "registered", name, server_id: id }))
    ],
    tools: [
      ...tools.filter(({ mcp_server_name: name, type }) => type !== "mcp_toolset" || !names.has(name)),
      ...added.map(({ name }) => ({ type: "mcp_toolset", mcp_server_name: name }))
    ]
  }
}

const sameTools = (a: ReadonlyArray<Entry>, b: ReadonlyArray<Entry>) => JSON.stringify(a) === JSON.stringify(b)

const sameServers = (a: ReadonlyArray<RegisteredServer>, b: ReadonlyArray<RegisteredServer>) =>
  a.length === b.length && a.every(({ id }) => b.some((one) => one.id === id))

/** A form as a change of its agent: what it does not show stays as it is. */
export const changeOf = (
  agent: Agent,
  { choices = {}, model, name, permission, policies = policiesOf(agent), servers, system }: AgentDraft
): Readonly<Record<string, unknown>> => {
  const samePermission = permission === permissionOf(agent)
  const tools = samePermission
    ? agent.tools
    : [toolset(permission), ...agent.tools.filter(({ type }) => type !== "agent_toolset_20260401")]
  const { mcp_servers } = agent
  const served = sameServers(servers, serversOf(agent)) ? { tools } : withServers({ mcp_servers, tools }, servers)
  const changed = { ...served, tools: withChoices(served.tools, choices) }
  return {
    name,
    model: model === agent.model.id ? agent.model : model,
    system: system === "" ? null : system,
    ...(sameTools(changed.tools, agent.tools) ? {} : changed),
    ...(policies === policiesOf(agent) ? {} : withPolicies(policies))
  }
}

export const toolset = (permission: Permission) => ({
  type: "agent_toolset_20260401",
  default_config: { enabled: true, permission_policy: { type: permission } }
})
