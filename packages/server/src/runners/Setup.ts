import type { SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { AgentSnapshot, type EnvironmentSnapshot, type Resource } from "@troupe/domain/session/Opening"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Option, Schema } from "effect"

/** What a session works with, as its log has it: opened so, and changed since. */
export interface Setup {
  readonly sessionId: SessionId
  readonly workspaceId: WorkspaceId
  readonly agent: AgentSnapshot
  /** Threads that have an agent of their own, or another version of it. */
  readonly agents: ReadonlyMap<ThreadId, AgentSnapshot>
  readonly environment: EnvironmentSnapshot | null
  readonly resources: ReadonlyArray<Resource>
  /** What the calls of all its threads are held to. */
  readonly policies: ReadonlyArray<JsonObject>
}

const decodeAgent = Schema.decodeUnknownOption(AgentSnapshot)

/** A change names fields of the agent; a model and an effort may be named by themselves. What is no agent then changes nothing. */
const changed = (agent: AgentSnapshot, changes: JsonObject, digest: string): AgentSnapshot => {
  const { effort, model, ...rest } = changes
  const named = typeof model === "string" ? { id: model } : typeof model === "object" && model !== null ? model : {}
  const full = { ...agent.model, ...named, ...(typeof effort === "string" ? { effort } : {}) }
  return Option.getOrElse(
    decodeAgent({ ...agent, ...rest, model: full, digest }),
    () => ({ ...agent, digest }) as AgentSnapshot
  )
}

const withAgent = (setup: Setup, threadId: ThreadId, agent: AgentSnapshot): Setup => ({
  ...setup,
  agents: new Map(setup.agents).set(threadId, agent)
})

/** No thread named: the agents of all of them change, and of those that are opened later. */
const reconfigured = (setup: Setup, { changes, digest, threadId }: EventOf<"AgentReconfigured">): Setup => {
  if (threadId !== null) return withAgent(setup, threadId, changed(agentOf(setup, threadId), changes, digest))
  const agents = [...setup.agents].map(([id, agent]) => [id, changed(agent, changes, digest)] as const)
  return { ...setup, agent: changed(setup.agent, changes, digest), agents: new Map(agents) }
}

export const agentOf = (setup: Setup, threadId: ThreadId): AgentSnapshot => setup.agents.get(threadId) ?? setup.agent

/** What the next event makes of it; null before the session is open. */
export const apply = (setup: Setup | null, event: SessionEvent): Setup | null => {
  if (event._tag === "SessionOpened") {
    const { agent, environment, resources, sessionId, workspaceId } = event
    return { sessionId, workspaceId, agent, agents: new Map(), environment, resources, policies: [] }
  }
  if (setup === null) return null
  switch (event._tag) {
    case "AgentReconfigured":
      return reconfigured(setup, event)
    case "PoliciesChanged":
      return { ...setup, policies: event.policies }
    case "ThreadOpened": {
      const own = decodeAgent(event.agent)
      return Option.isSome(own) ? withAgent(setup, event.threadId, own.value) : setup
    }
    case "ResourceAdded":
      return { ...setup, resources: [...setup.resources, event.resource] }
    case "ResourceRemoved":
      return { ...setup, resources: setup.resources.filter(({ resourceId }) => resourceId !== event.resourceId) }
    default:
      return setup
  }
}
