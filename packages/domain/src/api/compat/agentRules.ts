import type { Result } from "effect"
import { canonical } from "../../CanonicalJson.ts"
import { schemaFault } from "../../tools/harmlessSchema.ts"
import type { AgentCreate, AgentDefinition, AgentExtras, AgentUpdate, Model, ModelIn } from "../Agents.ts"
import { type ApiFailure, attempt, refuse } from "../ApiError.ts"
import { patched, tooManyPairs } from "../Common.ts"
import { checkReferences, resolveServers, resolveTools } from "./agentTools.ts"
import { resolveMultiagent } from "./multiagent.ts"

/** A model as it is kept. The effort of the same model stays where an update names none. */
export const resolveModel = (model: ModelIn, before?: Model): Model => {
  if (typeof model === "string")
    return before?.id === model && before.effort ? { id: model, effort: before.effort } : { id: model }
  const { effort, id, inference_geo, speed } = model
  const kept = effort === undefined && before?.id === id ? before.effort : undefined
  const given = effort == null ? kept : typeof effort === "string" ? { type: effort } : effort
  return {
    id,
    ...(given === undefined ? {} : { effort: given }),
    ...(speed == null ? {} : { speed }),
    ...(inference_geo == null ? {} : { inference_geo })
  }
}

type Extras = AgentDefinition["troupe"]

/** Our own settings as they are kept: what is given replaces, null takes away, the rest stays. */
const resolveExtras = (given: AgentExtras = {}, before: Extras = { harness: null, aux_model: null }): Extras => {
  const { aux_model, harness, keep_model_requests, max_steps, max_tokens, output_schema, policies, temperature } = {
    ...before,
    ...given
  }
  const fault = output_schema == null ? null : schemaFault(output_schema)
  if (fault !== null) refuse(`troupe.output_schema: ${fault}`)
  return {
    harness: harness ?? null,
    aux_model: aux_model ?? null,
    ...(temperature == null ? {} : { temperature }),
    ...(max_tokens == null ? {} : { max_tokens }),
    ...(max_steps == null ? {} : { max_steps }),
    ...(keep_model_requests == null ? {} : { keep_model_requests }),
    ...(output_schema == null ? {} : { output_schema }),
    ...(policies == null || policies.length === 0 ? {} : { policies })
  }
}

type Refusable = Pick<AgentUpdate, "skills" | "execution_identity">

/** Parts of the contract that this installation does not have yet are refused rather than kept and ignored. */
const refuseUnsupported = ({ execution_identity, skills }: Refusable): void => {
  const skill = skills?.[0]
  if (skill !== undefined) refuse(`skills.0: there is no skill ${skill.skill_id}`)
  if (execution_identity?.type === "aws_role") {
    refuse("execution_identity: aws_role is not supported; use service_account")
  }
}

const checked = (definition: AgentDefinition): AgentDefinition => {
  const tooMany = tooManyPairs(definition.metadata)
  if (tooMany !== undefined) throw tooMany
  checkReferences(definition.tools, definition.mcp_servers)
  return definition
}

/** The first version of an agent. */
export const createAgent = (
  input: AgentCreate,
  defaultModel: string | null = null
): Result.Result<AgentDefinition, ApiFailure> =>
  attempt(() => {
    refuseUnsupported(input)
    const model = input.model ?? defaultModel ?? refuse("model: Missing key; the workspace has no default model")
    return checked({
      name: input.name,
      description: input.description ?? null,
      model: resolveModel(model),
      system: input.system ?? null,
      tools: resolveTools(input.tools ?? []),
      mcp_servers: resolveServers(input.mcp_servers ?? []),
      skills: [],
      multiagent: resolveMultiagent(input.multiagent ?? null, null),
      execution_identity: { type: "service_account" },
      metadata: input.metadata ?? {},
      troupe: resolveExtras(input.troupe)
    })
  })

/** The next version: what an update names is replaced, the rest stays. */
export const updateAgent = (before: AgentDefinition, input: AgentUpdate): Result.Result<AgentDefinition, ApiFailure> =>
  attempt(() => {
    refuseUnsupported(input)
    const { description, mcp_servers, metadata, model, multiagent, name, system, tools, troupe } = input
    return checked({
      ...before,
      name: name ?? before.name,
      model: model === undefined ? before.model : resolveModel(model, before.model),
      description: description === undefined ? before.description : description,
      system: system === undefined ? before.system : system,
      tools: tools === undefined ? before.tools : resolveTools(tools ?? []),
      mcp_servers: mcp_servers === undefined ? before.mcp_servers : resolveServers(mcp_servers ?? []),
      multiagent: multiagent === undefined ? before.multiagent : resolveMultiagent(multiagent, before.multiagent),
      metadata: patched(before.metadata, metadata),
      troupe: resolveExtras(troupe, before.troupe)
    })
  })

/** Whether two versions would say the same. */
export const sameDefinition = (a: AgentDefinition, b: AgentDefinition): boolean => canonical(a) === canonical(b)
