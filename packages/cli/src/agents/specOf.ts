import type { Agent } from "@troupe/client"

const isNothing = (value: unknown): boolean =>
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && Object.values(value).every((one) => one === null))

/** What an agent is, as a file that makes the same one elsewhere: what was left to its default is left out. */
export const specOf = (agent: Agent): Readonly<Record<string, unknown>> => {
  const {
    description,
    execution_identity,
    mcp_servers,
    metadata,
    model,
    multiagent,
    name,
    skills,
    system,
    tools,
    troupe
  } = agent
  const { id, ...more } = model
  const all = {
    name,
    description,
    model: Object.keys(more).length === 0 ? id : model,
    system,
    tools,
    mcp_servers,
    skills,
    multiagent,
    execution_identity: execution_identity.type === "service_account" ? null : execution_identity,
    metadata,
    troupe: Object.fromEntries(Object.entries(troupe).filter(([, value]) => value !== null))
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isNothing(value)))
}
