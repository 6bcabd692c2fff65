import type { AgentDefinition } from "@troupe/domain/api/Agents"
import { type ApiFailure, forbidden, invalid, notFound } from "@troupe/domain/api/ApiError"
import { sameDefinition, updateAgent } from "@troupe/domain/api/compat/agentRules"
import { configOf } from "@troupe/domain/api/compat/environmentRules"
import { useIn } from "@troupe/domain/api/compat/directory"
import { initialInputsOf } from "@troupe/domain/api/compat/inputs"
import { lifecycleIn } from "@troupe/domain/api/compat/lifecycle"
import { budgetIn } from "@troupe/domain/api/compat/money"
import type { Project } from "@troupe/domain/api/Projects"
import { wantedFiles } from "@troupe/domain/api/compat/resources"
import type { AgentIn, SessionCreate } from "@troupe/domain/api/Sessions"
import { type EnvironmentId, ResourceId, SessionId, ThreadId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { hostDirectory } from "@troupe/domain/session/HostDirectory"
import type { AgentSnapshot, EnvironmentSnapshot } from "@troupe/domain/session/Opening"
import { Effect, Option } from "effect"
import { Agents } from "../agents/Agents.ts"
import { wholeRoster } from "../agents/rosters.ts"
import { Environments } from "../environments/Environments.ts"
import { settleInputs } from "../events/settleInputs.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import { Projects } from "../projects/Projects.ts"
import { RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { giveFiles } from "./giveFiles.ts"
import { command } from "./SessionCalls.ts"
import { workspaceAgent } from "./workspaceAgent.ts"

/** An agent with what a session wants otherwise. The agent itself stays as it is. */
const overridden = Effect.fnUntraced(function* (
  base: AgentDefinition,
  agent: Extract<AgentIn, { readonly type: "agent_with_overrides" }>
) {
  const { mcp_servers, model, skills, system, tools } = agent
  if (model === null) return yield* invalid("agent.model: an agent needs a model", "agent_model_required")
  return yield* Effect.fromResult(
    updateAgent(base, {
      ...(model === undefined ? {} : { model }),
      ...(system === undefined ? {} : { system }),
      ...(tools === undefined ? {} : { tools }),
      ...(mcp_servers === undefined ? {} : { mcp_servers }),
      ...(skills === undefined ? {} : { skills: skills as never })
    })
  )
})

const agentSnapshot = Effect.fnUntraced(function* (asked: AgentIn) {
  const { workspaceId } = yield* Caller
  const agents = yield* Agents
  const { id, version } = typeof asked === "string" ? { id: asked, version: undefined } : asked
  const found = yield* agents.find(workspaceId, id, version)
  if (found.agent.archived_at !== null) {
    return yield* invalid(`agent ${id} is archived and cannot be used to create a session`)
  }
  const wanted =
    typeof asked !== "string" && asked.type === "agent_with_overrides"
      ? yield* overridden(found.definition, asked)
      : found.definition
  const digest = sameDefinition(wanted, found.definition) ? found.digest : null
  const named = { agentId: found.agent.id, version: found.agent.version }
  const snapshot: AgentSnapshot = yield* workspaceAgent(named, wanted, digest)
  const roster = wholeRoster({ ...found, definition: wanted }, (agentId, pinned) =>
    agents.find(workspaceId, agentId, pinned)
  )
  return { ...snapshot, multiagent: yield* roster }
})

const environmentSnapshot = Effect.fnUntraced(function* (asked: EnvironmentId | null) {
  const { workspaceId } = yield* Caller
  const environments = yield* Environments
  const { definition, digest, environment } =
    asked === null ? yield* environments.usual : yield* environments.find(workspaceId, asked)
  if (environment.archived_at !== null) {
    return yield* invalid(
      `environment ${environment.id} is archived and cannot be used to create a session`,
      "environment_archived"
    )
  }
  const config = configOf(definition) as unknown as JsonObject
  return { environmentId: environment.id, digest, name: definition.name, config } satisfies EnvironmentSnapshot
})

/** Parts of the contract that this installation does not have yet are refused rather than kept and ignored. */
const refuseUnsupported = Effect.fnUntraced(function* ({ vault_ids }: SessionCreate) {
  const [vault] = vault_ids ?? []
  if (vault !== undefined) return yield* invalid(`vault_ids.0: there is no vault ${vault.slice(0, 64)}`)
})

/** The project of a session, which stands in for what the session leaves out. */
const projectOf = Effect.fnUntraced(function* ({ troupe }: SessionCreate) {
  const { workspaceId } = yield* Caller
  const projectId = troupe?.project_id ?? null
  if (projectId === null) return null
  const projects = yield* Projects
  const project = yield* projects.find(workspaceId, projectId)
  if (project.archived_at === null) return project
  return yield* invalid(`project ${projectId} is archived and cannot be used to create a session`)
})

const agentIn = ({ agent }: SessionCreate, project: Project | null): Effect.Effect<AgentIn, ApiFailure> => {
  const wanted = agent ?? project?.defaults.agent_id ?? null
  return wanted === null ? Effect.fail(invalid("agent: Missing key")) : Effect.succeed(wanted)
}

/** What a session of an end user's is made of is for the product to say, and not for its users. */
const endUserOf = Effect.fnUntraced(function* ({ agent, budget, resources, troupe }: SessionCreate) {
  const { bound } = yield* Caller
  if (bound === null) return troupe?.end_user ?? null
  if (bound.type !== "end_user" || bound.session_ids !== null) {
    return yield* forbidden("This token is for sessions that are there, and opens none")
  }
  if (typeof agent === "object" && agent.type === "agent_with_overrides") {
    return yield* forbidden("agent: with an end user's token agents are taken as they are")
  }
  if ((resources ?? []).length > 0) return yield* forbidden("resources: are not for end users to give")
  if (troupe?.project_id != null) return yield* forbidden("troupe.project_id: is not for end users to name")
  if (troupe?.directory != null) return yield* forbidden("troupe.directory: is not for end users to name")
  if (troupe?.labels !== undefined) return yield* forbidden("troupe.labels: are not for end users to give")
  if (troupe?.lifecycle !== undefined) return yield* forbidden("troupe.lifecycle: is not for end users to set")
  if (troupe?.policies !== undefined) return yield* forbidden("troupe.policies: are not for end users to set")
  if (budget != null) return yield* forbidden("budget: is not for end users to set")
  if (troupe?.end_user !== undefined && troupe.end_user !== bound.subject) {
    return yield* forbidden("troupe.end_user: this token is another end user's")
  }
  return bound.subject
})

/** The customer's own machines are not ours to put files on. */
export const noFilesThere = invalid("resources: sessions of self_hosted environments take no files")

/** The directory of a runner's host that the session is to work on. The runner itself knows whether it was registered. */
const directoryIn = Effect.fnUntraced(function* ({ troupe }: SessionCreate, environment: EnvironmentSnapshot) {
  const directory = troupe?.directory ?? null
  if (directory === null) return []
  if (environment.config["selfHosted"] === true) {
    return yield* invalid("troupe.directory: sessions of self_hosted environments run on no runner")
  }
  const { path, runner_id, use } = directory
  const { workspaceId } = yield* Caller
  const runner = yield* (yield* RunnerRegistry).find(runner_id)
  if (Option.isNone(runner) || runner.value.workspaceId !== workspaceId) {
    return yield* notFound(`troupe.directory.runner_id: Runner ${runner_id} was not found.`)
  }
  const mint = yield* Mint
  return [hostDirectory(ResourceId.make(mint("Resource")), { runnerId: runner_id, path, use: useIn(use) })]
})

/** Opens a session with all that it needs to run, as it is now. */
export const openSession = Effect.fn("openSession")(function* (input: SessionCreate) {
  yield* refuseUnsupported(input)
  const { kind, tokenId, workspaceId } = yield* Caller
  const endUser = yield* endUserOf(input)
  const project = yield* projectOf(input)
  const agent: AgentSnapshot = yield* agentSnapshot(yield* agentIn(input, project))
  const environment = yield* environmentSnapshot(input.environment_id ?? project?.defaults.environment_id ?? null)
  const wanted = yield* Effect.fromResult(wantedFiles(input.resources ?? []))
  if (wanted.length > 0 && environment.config["selfHosted"] === true) return yield* noFilesThere
  const mint = yield* Mint
  const sessionId = SessionId.make(mint("Session"))
  const threadId = ThreadId.make(mint("Thread"))
  const first = yield* Effect.fromResult(initialInputsOf(input.initial_events ?? [], { mint, awaits: () => undefined }))
  const inputs = yield* settleInputs(first, "initial_events")
  const directory = yield* directoryIn(input, environment)
  const resources = [...(yield* giveFiles(sessionId, wanted)), ...directory]
  yield* command(sessionId, {
    _tag: "Open",
    sessionId,
    workspaceId,
    threadId,
    agent,
    environment,
    resources,
    vaultIds: [],
    title: input.title ?? null,
    metadata: input.metadata ?? {},
    labels: [...new Set([...(project?.defaults.labels ?? []), ...(input.troupe?.labels ?? [])])],
    budget: budgetIn(input.budget, input.troupe?.limits),
    origin: { type: kind === "console" ? "console" : "api" },
    createdBy: tokenId,
    projectId: project?.id ?? null,
    visibility: "workspace",
    endUser,
    deploymentId: null,
    externalThreadKey: null,
    lifecycle: lifecycleIn(input.troupe?.lifecycle),
    policies: input.troupe?.policies ?? [],
    history: [],
    inputs
  })
  return sessionId
})
