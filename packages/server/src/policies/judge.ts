import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import type { DryRun, DryRunVerdict } from "@troupe/domain/api/Policies"
import type { JsonObject } from "@troupe/domain/Json"
import { dryRun } from "@troupe/domain/tools/dryRun"
import { policyLayers } from "@troupe/domain/tools/PolicyLayers"
import { Effect } from "effect"
import { Agents } from "../agents/Agents.ts"
import { Caller } from "../gateway/Requests.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { SessionLog } from "../runners/SessionLog.ts"
import * as Setup from "../runners/Setup.ts"
import { Policies } from "../workspace/Policies.ts"
import { unreadable } from "../settings/routes.ts"
import { SettingsStore } from "../workspace/SettingsStore.ts"

interface Standing {
  readonly tools: ReadonlyArray<JsonObject> | null
  readonly agentPolicies: ReadonlyArray<JsonObject>
  readonly sessionPolicies: ReadonlyArray<JsonObject>
  readonly unisolated: boolean
}

const nobody: Standing = { tools: null, agentPolicies: [], sessionPolicies: [], unisolated: false }

const unread = (cause: { readonly message: string }) => new ApiFailure({ type: "api_error", message: cause.message })

/** What a session works with now: its own copy of the agent, and its own policies. */
const ofSession = Effect.fnUntraced(function* (sessionId: NonNullable<DryRun["session_id"]>) {
  const { workspaceId } = yield* Caller
  const reads = yield* SessionReads
  const log = yield* SessionLog
  const { around } = yield* reads.find(workspaceId, sessionId)
  const setup = yield* Effect.mapError(log.setup(sessionId), unread)
  const { policies, tools } = Setup.agentOf(setup, around.primary)
  const backend = setup.environment?.config["backend"]
  const standing: Standing = {
    tools,
    agentPolicies: policies,
    sessionPolicies: setup.policies,
    unisolated: backend === "local"
  }
  return standing
})

const ofAgent = Effect.fnUntraced(function* (agentId: NonNullable<DryRun["agent_id"]>, version: number | undefined) {
  const { workspaceId } = yield* Caller
  const agents = yield* Agents
  const { definition } = yield* agents.find(workspaceId, agentId, version)
  return { ...nobody, tools: definition.tools, agentPolicies: definition.troupe.policies ?? [] }
})

/** Says what would become of a call, without anybody making it. */
export const judge = Effect.fn("policies.judge")(function* (asked: DryRun) {
  const { workspaceId } = yield* Caller
  const policies = yield* Policies
  const settings = yield* SettingsStore
  const { agent_id, agent_version, session_id } = asked
  if (agent_id !== undefined && session_id !== undefined) {
    return yield* invalid("agent_id: a session has its own agent; name one of both")
  }
  if (agent_version !== undefined && agent_id === undefined) return yield* invalid("agent_version: needs agent_id")
  const standing =
    session_id !== undefined
      ? yield* ofSession(session_id)
      : agent_id !== undefined
        ? yield* ofAgent(agent_id, agent_version)
        : nobody
  const outer = yield* Effect.mapError(policies.of(workspaceId), unread)
  const { policiesVersion } = yield* Effect.catchTag(settings.get(workspaceId), "SettingsUnreadable", unreadable)
  const layers = policyLayers({
    server: outer.server,
    workspace: asked.policies ?? outer.workspace,
    agent: standing.agentPolicies,
    session: standing.sessionPolicies,
    turnPreset: asked.preset ?? null
  })
  const { auto, permission, reason, rule, speaker } = dryRun(
    { layers, tools: standing.tools, unisolated: standing.unisolated },
    {
      name: asked.tool,
      server: asked.server ?? null,
      input: asked.input ?? {},
      readOnly: asked.read_only ?? false
    }
  )
  const verdict: DryRunVerdict = {
    type: "policy_verdict",
    verdict: permission,
    rule,
    layer: speaker,
    reason,
    auto: auto === true,
    policies_version: asked.policies === undefined ? policiesVersion : null
  }
  return verdict
})
