import type { SessionCreate, Troupe } from "@troupe/client"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble } from "../app/Trouble.ts"
import { titleOf } from "./title.ts"
import { agentFor, madeBy, type Wanted } from "./agents.ts"
import { ourName } from "../app/NameConfig.ts"

/** Opens a session. Answers its id. */
export const open = async (
  troupe: Troupe,
  wanted: Wanted,
  message: string | null,
  resources: NonNullable<SessionCreate["resources"]> = []
): Promise<string> => {
  const { id } = await troupe.sessions.create({
    agent: (await agentFor(troupe, wanted)) as NonNullable<SessionCreate["agent"]>,
    metadata: { made_by: madeBy },
    resources,
    ...(message === null ? {} : { title: titleOf(message) })
  })
  return id
}

const looksAt = 100

/** The session that this command made last. */
export const latest = async (troupe: Troupe): Promise<string> => {
  const { data } = await troupe.sessions.list({ order: "desc", limit: looksAt })
  const found = data.find(({ metadata }) => metadata["made_by"] === madeBy)
  if (found !== undefined) return found.id
  throw new Trouble({
    what: "There is no session to go on with.",
    advice: `Leave --continue out to begin one, or name one: ${ourName} attach SESSION`,
    code: exitCodes.refused
  })
}
