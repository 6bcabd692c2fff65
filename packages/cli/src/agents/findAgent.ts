import type { Agent, Troupe } from "@troupe/client"

/** The agent by this name that is not archived, or null. */
export const findAgent = async (troupe: Troupe, name: string): Promise<Agent | null> => {
  for await (const agent of troupe.agents.list({ limit: 100 })) if (agent.name === name) return agent
  return null
}
