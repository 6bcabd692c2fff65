import { Option, Schema } from "effect"
import type { JsonObject } from "../../Json.ts"
import { AgentSnapshot } from "../../session/Opening.ts"
import type { AgentDefinition, Model } from "../Agents.ts"
import type { SessionAgent } from "../Sessions.ts"

/** An agent as a session keeps it: all that it needs to run, for ever. */
export const snapshotOf = (
  id: { readonly agentId: AgentSnapshot["agentId"]; readonly version: number; readonly digest: string },
  agent: Omit<AgentDefinition, "metadata">,
  harness: string
): AgentSnapshot => {
  const { effort, id: model, speed } = agent.model
  const {
    keep_model_requests: keepModelRequests,
    max_steps: maxSteps,
    max_tokens: maxTokens,
    output_schema: output,
    temperature
  } = agent.troupe
  return {
    ...id,
    name: agent.name,
    description: agent.description,
    model: {
      id: model,
      ...(effort === undefined ? {} : { effort: effort.type }),
      ...(speed === undefined ? {} : { speed }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(output === undefined ? {} : { output })
    },
    auxModel: agent.troupe.aux_model,
    ...(maxSteps === undefined ? {} : { maxSteps }),
    ...(keepModelRequests === undefined ? {} : { keepModelRequests }),
    system: agent.system,
    harness: agent.troupe.harness ?? harness,
    tools: agent.tools,
    mcpServers: agent.mcp_servers,
    skills: agent.skills,
    policies: agent.troupe.policies ?? [],
    multiagent: null
  }
}

const decode = Schema.decodeUnknownOption(AgentSnapshot)

const modelOf = ({ effort, id, speed }: AgentSnapshot["model"]): Model =>
  ({
    id,
    ...(effort === undefined ? {} : { effort: { type: effort } }),
    ...(speed === undefined ? {} : { speed })
  }) as Model

const optionsOf = ({
  keepModelRequests,
  maxSteps,
  model: { maxTokens, output, temperature },
  policies
}: AgentSnapshot) => ({
  ...(temperature === undefined ? {} : { temperature }),
  ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  ...(maxSteps === undefined ? {} : { max_steps: maxSteps }),
  ...(keepModelRequests === undefined ? {} : { keep_model_requests: keepModelRequests }),
  ...(output === undefined ? {} : { output_schema: output }),
  ...(policies.length === 0 ? {} : { policies })
})

/** A session's agent as clients see it. Null where the text is no whole agent. */
export const sessionAgentOf = (snapshot: JsonObject | AgentSnapshot): SessionAgent | null =>
  Option.match(decode(snapshot), {
    onNone: () => null,
    onSome: (agent) => ({
      id: agent.agentId,
      type: "agent",
      version: agent.version,
      name: agent.name,
      description: agent.description,
      model: modelOf(agent.model),
      system: agent.system,
      tools: agent.tools,
      mcp_servers: agent.mcpServers,
      skills: agent.skills,
      multiagent: agent.multiagent,
      execution_identity: { type: "service_account" },
      troupe: { harness: agent.harness, aux_model: agent.auxModel, ...optionsOf(agent) }
    })
  })
