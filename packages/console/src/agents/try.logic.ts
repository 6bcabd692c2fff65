import type { Agent } from "@troupe/client"

type Body = Readonly<Record<string, unknown>>

/** What a session may have otherwise than its agent. The rest of what was edited does not matter to a try. */
const tried = ["model", "system", "tools", "mcp_servers", "skills"] as const

const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)

/** The agent of a try: as it is in the form, saved or not. */
export const agentToTry = (agent: Agent, edited: Body) => {
  const { id, version } = agent
  const others = tried.filter((key) => edited[key] !== undefined && differs(edited[key], agent[key]))
  return others.length === 0
    ? { type: "agent" as const, id, version }
    : {
        type: "agent_with_overrides" as const,
        id,
        version,
        ...Object.fromEntries(others.map((key) => [key, edited[key]]))
      }
}
export type Tried = ReturnType<typeof agentToTry>

/** Whether what is in the form is no more what a try began with. */
export const isOutdated = (begun: Tried, now: Tried): boolean => differs(begun, now)
