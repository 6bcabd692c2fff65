import type { AgentId, SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { CommandOf } from "@troupe/domain/session/SessionCommand"

interface OpeningIds {
  readonly sessionId: SessionId
  readonly workspaceId: WorkspaceId
  readonly threadId: ThreadId
  readonly agentId: AgentId
}

/** Opens a session with nothing in it that need not be there. Whoever wants something else says so on top. */
export const plainOpen = ({ agentId, ...ids }: OpeningIds): CommandOf<"Open"> => ({
  _tag: "Open",
  ...ids,
  agent: {
    agentId,
    version: 1,
    digest: "0".repeat(64),
    name: "agent",
    description: null,
    model: { id: "demo" },
    auxModel: null,
    system: null,
    harness: "scripted",
    tools: [],
    mcpServers: [],
    skills: [],
    policies: [],
    multiagent: null
  },
  environment: null,
  resources: [],
  vaultIds: [],
  title: null,
  metadata: {},
  labels: [],
  budget: [],
  origin: { type: "api" },
  createdBy: "test",
  projectId: null,
  visibility: "workspace",
  endUser: null,
  deploymentId: null,
  externalThreadKey: null,
  lifecycle: { onIdle: "retain", keepFailed: false, ttlMs: null },
  history: [],
  inputs: []
})
