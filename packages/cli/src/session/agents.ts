import { ApiError, type Troupe } from "@troupe/client"
import { agentsByName, findNamed } from "../app/named.ts"
import { usageTrouble } from "../app/Trouble.ts"
import { defaultModel } from "./defaultModel.ts"

export interface Wanted {
  /** Null: one of ours with all built-in tools, made at the first use. */
  readonly agent: string | null
  readonly model: string | null
  readonly harness: string | null
  /** Whether tools run without asking. */
  readonly isTrusted: boolean
}

/** By which sessions and agents of this command are known. */
export const madeBy = "troupe-cli"

const toolsOf = (isTrusted: boolean) => [
  {
    type: "agent_toolset_20260401",
    default_config: { permission_policy: { type: isTrusted ? "always_allow" : "always_ask" } }
  },
  { type: "troupe_toolset", configs: [{ name: "ask_user" }, { name: "update_plan" }] }
]

/** The model to use where nobody names one: the workspace's, else one that a runner can reach. */
export const modelFor = async (troupe: Troupe): Promise<string> => {
  const settings = await troupe.settings.retrieve().catch((error: unknown) => {
    if (error instanceof ApiError) return null
    throw error
  })
  if (settings?.default_model != null) return settings.default_model
  const models: Array<string> = []
  for await (const { id } of troupe.models.list()) models.push(id)
  return defaultModel(models)
}

/** One of ours with all built-in tools; made where there is none yet. */
export const ownAgent = async (troupe: Troupe, model: string, harness: string | null): Promise<string> => {
  const mark = { made_by: madeBy, ...(harness === null ? {} : { harness }) }
  for await (const { id, metadata } of troupe.agents.list({ limit: 100 })) {
    if (metadata["made_by"] === madeBy && (metadata["harness"] ?? null) === harness) return id
  }
  const made = await troupe.agents.create({
    name: harness === null ? "Assistant" : `Assistant (${harness})`,
    description: "All built-in tools, in a sandbox.",
    model,
    metadata: mark,
    tools: toolsOf(true),
    troupe: { harness }
  })
  return made.id
}

/** Which agent a session begins with, as the API takes it. */
export const agentFor = async (troupe: Troupe, { agent, harness, isTrusted, model }: Wanted) => {
  if (agent !== null && harness !== null) {
    throw usageTrouble("An agent has its harness already.", "Leave --harness or --agent out.")
  }
  if (agent !== null) {
    const { id } = await findNamed(troupe, agentsByName, agent)
    return model === null ? id : ({ type: "agent_with_overrides", id, model } as const)
  }
  const found = model ?? (await modelFor(troupe))
  return {
    type: "agent_with_overrides",
    id: await ownAgent(troupe, found, harness),
    model: found,
    tools: toolsOf(isTrusted)
  } as const
}
