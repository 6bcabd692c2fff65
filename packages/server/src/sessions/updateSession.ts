import type { AgentDefinition } from "@troupe/domain/api/Agents"
import { forbidden, invalid } from "@troupe/domain/api/ApiError"
import { patched, tooManyPairs } from "@troupe/domain/api/Common"
import { updateAgent } from "@troupe/domain/api/compat/agentRules"
import { budgetIn } from "@troupe/domain/api/compat/money"
import type { Session, SessionUpdate } from "@troupe/domain/api/Sessions"
import { canonical } from "@troupe/domain/CanonicalJson"
import type { ThreadId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { command, rehearse } from "./SessionCalls.ts"
import { workspaceAgent } from "./workspaceAgent.ts"

const definitionOf = ({ id: _, type: __, version: ___, ...definition }: Session["agent"]): AgentDefinition => ({
  ...definition,
  metadata: {}
})

/** The session's own copy of its agent, changed; nothing where it would say the same. */
const reconfigured = Effect.fnUntraced(function* ({ agent }: Session, change: NonNullable<SessionUpdate["agent"]>) {
  const before = definitionOf(agent)
  const after = yield* Effect.fromResult(updateAgent(before, change))
  if (canonical(after) === canonical(before)) return null
  const snapshot = yield* workspaceAgent({ agentId: agent.id, version: agent.version }, after)
  // Its roster is the one that it was opened with.
  const changes = { ...snapshot, multiagent: agent.multiagent }
  return { changes: changes as unknown as JsonObject, digest: snapshot.digest }
})

/** The session's limits, changed: those that an update does not name stay. Nothing where they would say the same. */
const rebounded = Effect.fnUntraced(function* (session: Session, { budget = session.budget, troupe }: SessionUpdate) {
  const { limits: before } = session.troupe
  const limits = troupe?.limits ?? before
  if (session.budget === null && budget !== null) {
    return yield* invalid("budget: a budget can only be given when a session is created", "budget_create_only")
  }
  const isSame = canonical(budget) === canonical(session.budget) && canonical(limits) === canonical(before)
  return isSame ? null : ({ _tag: "ChangeBudget", budget: budgetIn(budget, limits) } as const)
})

/** Carries out what an update names: all of it, or nothing where one part is refused. */
export const updateSession = Effect.fn("updateSession")(function* (
  session: Session,
  primary: ThreadId,
  input: SessionUpdate
) {
  const { agent, metadata, title, vault_ids } = input
  const { bound } = yield* Caller
  const isBounding = input.budget !== undefined || input.troupe?.limits !== undefined
  const policies = input.troupe?.policies
  if (bound !== null && (agent !== undefined || isBounding || policies !== undefined)) {
    return yield* forbidden("This token can change neither a session's agent nor its budget nor its policies")
  }
  if (vault_ids !== undefined) return yield* invalid("vault_ids: can't be changed after a session was created")
  const tooMany = tooManyPairs(patched(session.metadata, metadata))
  if (tooMany !== undefined) return yield* tooMany
  const change = agent === undefined ? null : yield* reconfigured(session, agent)
  const limits = isBounding ? yield* rebounded(session, input) : null
  // An agent is refused while the session works, and while it does not, nothing is used: what is true of the budget stays so.
  if (change !== null && limits !== null) yield* rehearse(session.id, limits)
  if (change !== null) yield* command(session.id, { _tag: "Reconfigure", threadId: primary, ...change })
  if (limits !== null) yield* command(session.id, limits)
  if (policies !== undefined && canonical(policies) !== canonical(session.troupe.policies)) {
    yield* command(session.id, { _tag: "ChangePolicies", policies })
  }
  const bag = metadata === null ? Object.fromEntries(Object.keys(session.metadata).map((key) => [key, null])) : metadata
  const after = patched(session.metadata, metadata)
  const bagChanges = bag !== undefined && canonical(after) !== canonical(session.metadata)
  const titleChanges = title !== undefined && title !== session.title
  if (!bagChanges && !titleChanges) return
  yield* command(session.id, {
    _tag: "Update",
    ...(titleChanges ? { title } : {}),
    ...(bagChanges ? { metadata: bag } : {})
  })
})
