import { Result, Schema } from "effect"
import { AgentId } from "../../Ids.ts"
import type { Json, JsonObject } from "../../Json.ts"
import { refuse } from "../ApiError.ts"
import { describe } from "../problems.ts"

const Named = Schema.Struct({
  type: Schema.Literal("agent"),
  id: AgentId,
  version: Schema.optionalKey(Schema.NullOr(Schema.Int))
})
const Self = Schema.Struct({ type: Schema.Literal("self") })
const Model = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256))
const Advisor = Schema.Struct({ type: Schema.Literal("advisor"), model: Model })
const Predefined = Schema.Union([AgentId, Named, Self])
const RosterEntry = Schema.Union([AgentId, Named, Self, Advisor])

const membersMax = 20
const few = Schema.isMaxLength(membersMax)
const nullish = <S extends Schema.Top>(field: S) => Schema.optionalKey(Schema.NullOr(field))
const Disabled = Schema.Struct({ type: Schema.Literal("disabled") })
const Switch = Schema.Struct({ type: Schema.Literals(["enabled", "disabled"]) })
const Part = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("enabled"),
    inline_agents: nullish(Switch),
    predefined_agents: nullish(Schema.Array(Predefined).check(few))
  }),
  Disabled
])

const Coordinator = Schema.Struct({
  type: Schema.Literal("coordinator"),
  agents: Schema.Array(RosterEntry).check(Schema.isMinLength(1), few)
})
const Parts = Schema.Struct({
  type: Schema.Literal("multiagent_20261001"),
  subagents: nullish(Part),
  workflows: nullish(Part),
  advisor: nullish(Schema.Union([Schema.Struct({ type: Schema.Literal("enabled"), model: Model }), Disabled]))
})

/** An agent of a roster. Without a version it is still to be looked up; the agent that has the roster is named so. */
export type Member = { readonly type: "agent"; readonly id: AgentId; readonly version?: number } | typeof Self.Type

const read = <A>(schema: Schema.Codec<A, unknown>, raw: JsonObject): A => {
  const result = Schema.decodeUnknownResult(schema as Schema.Codec<A>)(raw, {
    errors: "all",
    onExcessProperty: "error"
  })
  return Result.isSuccess(result) ? result.success : refuse(describe(result.failure, "multiagent"))
}

const memberOf = (entry: typeof Predefined.Type): Member => {
  if (typeof entry === "string") return { type: "agent", id: entry }
  if (entry.type === "self") return entry
  return { type: "agent", id: entry.id, ...(entry.version == null ? {} : { version: entry.version }) }
}

const coordinator = (raw: JsonObject): JsonObject => {
  const { agents } = read(Coordinator, raw)
  const isAdvisor = (entry: typeof RosterEntry.Type): entry is typeof Advisor.Type =>
    typeof entry !== "string" && entry.type === "advisor"
  const advisors = agents.filter(isAdvisor)
  if (advisors.length > 1) refuse("multiagent.agents: there is one advisor at most")
  const members = agents.flatMap((entry) => (isAdvisor(entry) ? [] : [memberOf(entry)]))
  return { type: "coordinator", agents: [...members, ...advisors] }
}

const enabled = { type: "enabled", inline_agents: { type: "enabled" }, predefined_agents: [] }

/** What is left out stays as it was where that is of the same type; else it takes its default, as what is null does. */
const part = (given: typeof Part.Type | null | undefined, stored: JsonObject | undefined, at: string): JsonObject => {
  if (given === undefined) return stored ?? enabled
  if (given === null) return enabled
  if (given.type === "disabled") return given
  const { inline_agents, predefined_agents } = given
  const before = stored?.["type"] === "enabled" ? stored : enabled
  const inline = inline_agents === undefined ? before["inline_agents"]! : (inline_agents ?? enabled.inline_agents)
  const members =
    predefined_agents === undefined ? before["predefined_agents"]! : (predefined_agents ?? []).map(memberOf)
  if ((inline as JsonObject)["type"] === "disabled" && (members as ReadonlyArray<Json>).length === 0) {
    refuse(`multiagent.${at}.predefined_agents: without inline agents there has to be one at least`)
  }
  return { type: "enabled", inline_agents: inline, predefined_agents: members }
}

const parts = (raw: JsonObject, before: JsonObject | null): JsonObject => {
  const given = read(Parts, raw)
  const stored = (before?.["type"] === "multiagent_20261001" ? before : {}) as Readonly<Record<string, JsonObject>>
  const off = { type: "disabled" }
  return {
    type: "multiagent_20261001",
    subagents: part(given.subagents, stored["subagents"], "subagents"),
    workflows: part(given.workflows, stored["workflows"], "workflows"),
    advisor: given.advisor === undefined ? (stored["advisor"] ?? off) : (given.advisor ?? off)
  }
}

/** A roster as it is kept, its defaults written out. Throws what is wrong with it. */
export const resolveMultiagent = (given: JsonObject | null, before: Json | null): JsonObject | null => {
  if (given === null) return null
  if (given["type"] === "coordinator") return coordinator(given)
  return parts(given, before as JsonObject | null)
}

type Place = { readonly at: string; readonly members: ReadonlyArray<JsonObject> }

/** The lists of a roster. Agents of one need not be in another. */
export const rosterLists = (multiagent: JsonObject): ReadonlyArray<Place> => {
  if (multiagent["type"] === "coordinator") {
    return [{ at: "multiagent.agents", members: multiagent["agents"] as ReadonlyArray<JsonObject> }]
  }
  return ["subagents", "workflows"].flatMap((name) => {
    const of = multiagent[name] as JsonObject
    const members = of["predefined_agents"] as ReadonlyArray<JsonObject> | undefined
    return members === undefined ? [] : [{ at: `multiagent.${name}.predefined_agents`, members }]
  })
}

/** The roster with something else in the place of each agent. Advisors stay as they are. */
export const mapRoster = (multiagent: Json | null, replace: (member: Member) => JsonObject): JsonObject | null => {
  if (multiagent === null) return null
  const roster = multiagent as Readonly<Record<string, JsonObject>> & JsonObject
  const all = (members: Json | undefined) =>
    (members as ReadonlyArray<JsonObject>).map((one) => (one["type"] === "advisor" ? one : replace(one as Member)))
  if (roster["type"] === "coordinator") return { ...roster, agents: all(roster["agents"]) }
  const within = (of: JsonObject) =>
    of["type"] === "enabled" ? { ...of, predefined_agents: all(of["predefined_agents"]) } : of
  return { ...roster, subagents: within(roster["subagents"]!), workflows: within(roster["workflows"]!) }
}
