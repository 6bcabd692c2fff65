import { Troupe } from "@troupe/client"
import { Effect, Redacted } from "effect"
import { madeBy, modelFor, ownAgent } from "../session/agents.ts"
import { keyOf } from "./loginLink.ts"
import { say } from "./Talk.ts"
import type { UpConfig } from "./UpConfig.ts"
import { ourName } from "../app/NameConfig.ts"

const withinMs = 10_000

const isEmpty = async (list: AsyncIterable<unknown>): Promise<boolean> => {
  for await (const _ of list) return false
  return true
}

/** What there is in a workspace, or was: what somebody put away does not come back. */
const all = { limit: 1, include_archived: "true" } as const

const begin = async (troupe: Troupe): Promise<void> => {
  if (await isEmpty(troupe.environments.list(all))) {
    const { id } = await troupe.environments.create({ name: "default" })
    await troupe.settings.update({ default_environment_id: id })
  }
  const model = await modelFor(troupe)
  if (await isEmpty(troupe.agents.list(all))) await ownAgent(troupe, model, null)
  else if (model !== "demo") await useModel(troupe, model)
}

/** An agent of ours that nobody has changed uses a model as soon as there is a key for one. */
const useModel = async (troupe: Troupe, model: string): Promise<void> => {
  for await (const { id, metadata, model: before, version } of troupe.agents.list({ limit: 100 })) {
    const isAsMade = metadata["made_by"] === madeBy && version === 1 && before.id === "demo"
    if (isAsMade) await troupe.agents.update(id, { version, model })
  }
}

/** Sees to it that a fresh workspace has an agent to talk to, and an environment for it to work in. */
export const starter = (given: UpConfig, url: string): Effect.Effect<void> =>
  Effect.tryPromise(() => begin(new Troupe({ baseURL: url, apiKey: Redacted.value(keyOf(given)) }))).pipe(
    Effect.timeout(withinMs),
    Effect.catch(() =>
      say(`The first agent and its environment could not be made; ${ourName} run makes them when it needs them.`)
    )
  )
