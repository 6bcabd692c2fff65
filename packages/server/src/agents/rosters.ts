import { type ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import type { Agent, AgentDefinition } from "@troupe/domain/api/Agents"
import { mapRoster, type Member, rosterLists } from "@troupe/domain/api/compat/multiagent"
import type { AgentId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"

interface AgentVersion {
  readonly agent: Agent
  readonly definition: AgentDefinition
}

type Find = (agentId: AgentId, version?: number) => Effect.Effect<AgentVersion, ApiFailure | SqlError>

const keyOf = (member: Extract<Member, { readonly type: "agent" }>): string => `${member.id} ${member.version ?? ""}`

/** The roster with the versions that its agents have now: there, not archived, and without rosters of their own. */
export const pinRoster = Effect.fn("pinRoster")(function* (multiagent: Json | null, owner: AgentId | null, find: Find) {
  if (multiagent === null) return null
  const pinned = new Map<string, number>()
  for (const { at, members } of rosterLists(multiagent as JsonObject)) {
    const seen = new Set<string>()
    for (const [index, one] of members.entries()) {
      const member = one as Member | { readonly type: "advisor" }
      if (member.type === "advisor") continue
      const id = member.type === "self" ? (owner ?? "self") : member.id
      if (seen.has(id)) return yield* invalid(`${at}.${index}: this agent is in the list already`)
      seen.add(id)
      if (member.type === "self") continue
      const found = yield* find(member.id, member.version).pipe(
        Effect.catchTag("ApiFailure", ({ message }) => Effect.fail(invalid(`${at}.${index}: ${message}`)))
      )
      const { agent } = found
      if (agent.archived_at !== null) return yield* invalid(`${at}.${index}: agent ${agent.id} is archived`)
      if (agent.multiagent !== null && agent.id !== owner) {
        return yield* invalid(`${at}.${index}: agent ${agent.id} has agents of its own; rosters are one deep`)
      }
      pinned.set(keyOf(member), agent.version)
    }
  }
  return mapRoster(multiagent, (member) =>
    member.type === "self" ? member : { ...member, version: pinned.get(keyOf(member))! }
  )
})

const definitionOf = ({ id, version }: AgentVersion["agent"], definition: AgentDefinition): JsonObject => {
  const { metadata: _, multiagent: __, troupe: ___, ...rest } = definition
  return { type: "agent", id, version, ...rest } as unknown as JsonObject
}

/** The roster of a session: with whole agents, as they are for ever. */
export const wholeRoster = Effect.fn("wholeRoster")(function* (owner: AgentVersion, find: Find) {
  const { multiagent } = owner.definition
  if (multiagent === null) return null
  const whole = new Map<string, JsonObject>()
  for (const { members } of rosterLists(multiagent as JsonObject)) {
    for (const one of members) {
      const member = one as Member | { readonly type: "advisor" }
      if (member.type !== "agent" || whole.has(keyOf(member))) continue
      const { agent, definition } = yield* find(member.id, member.version)
      whole.set(keyOf(member), definitionOf(agent, definition))
    }
  }
  return mapRoster(multiagent, (member) =>
    member.type === "self" ? definitionOf(owner.agent, owner.definition) : whole.get(keyOf(member))!
  )
})
