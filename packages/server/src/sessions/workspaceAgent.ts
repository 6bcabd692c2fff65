import type { AgentDefinition } from "@troupe/domain/api/Agents"
import { ApiFailure } from "@troupe/domain/api/ApiError"
import { snapshotOf } from "@troupe/domain/api/compat/snapshot"
import { canonical } from "@troupe/domain/CanonicalJson"
import type { AgentSnapshot } from "@troupe/domain/session/Opening"
import { noDefaults } from "@troupe/domain/workspace/WorkspaceSettings"
import { Effect } from "effect"
import { hash } from "node:crypto"
import { Caller } from "../gateway/Requests.ts"
import { SettingsStore } from "../workspace/SettingsStore.ts"
import { resolveServers } from "./resolveServers.ts"

/** What drives the model where neither an agent nor its workspace says. */
const defaultHarness = "openai-agents"

const digestOf = (definition: Omit<AgentDefinition, "metadata">): string => hash("sha256", canonical(definition), "hex")

/**
 * An agent as a session of this workspace keeps it: what it leaves open is what the workspace settled, and the servers that it
 * names are as the workspace's list has them. With the digest of a version it has that, unless it says something else.
 */
export const workspaceAgent = Effect.fn("workspaceAgent")(function* (
  id: Pick<AgentSnapshot, "agentId" | "version">,
  definition: AgentDefinition,
  versionDigest: string | null = null
) {
  const { workspaceId } = yield* Caller
  const store = yield* SettingsStore
  const { settings } = yield* store
    .get(workspaceId)
    .pipe(
      Effect.catchTag("SettingsUnreadable", ({ message }) =>
        Effect.fail(new ApiFailure({ type: "api_error", message }))
      )
    )
  const { auxModel, harness } = settings.defaults ?? noDefaults
  const { metadata: _, ...rest } = definition
  const { troupe } = definition
  const mcp_servers = yield* resolveServers(workspaceId, definition.mcp_servers, {
    sampling: settings.mcpSampling ?? true
  })
  const agent = { ...rest, mcp_servers, troupe: { ...troupe, aux_model: troupe.aux_model ?? auxModel } }
  const isVersion = versionDigest !== null && canonical(agent) === canonical(rest)
  return snapshotOf({ ...id, digest: isVersion ? versionDigest : digestOf(agent) }, agent, harness ?? defaultHarness)
})
