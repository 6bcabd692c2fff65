import { type Budget, type BudgetLimit, consumed } from "./Budget.ts"
import { expiresAt } from "./rest.ts"
import type { Call, OpenSession, Thread, Turn } from "./SessionState.ts"
import type { Status, StopReason } from "./Status.ts"
import type { Totals } from "./Usage.ts"

const running: Status = { status: "running", stop: null }
const rescheduling: Status = { status: "rescheduling", stop: null }
const terminated: Status = { status: "terminated", stop: null }
const stopped = (stop: StopReason): Status => ({ status: "idle", stop })

const stopText = (stop: StopReason): string => {
  switch (stop.type) {
    case "requires_action":
      return `requires_action ${stop.eventIds.join(" ")}`
    case "refusal":
      return `refusal ${JSON.stringify(stop.details)}`
    default:
      return stop.type
  }
}

/** A status as one text, the same for the same status: to tell whether it has changed. */
export const statusText = ({ status, stop }: Pick<Status, "status"> & { readonly stop: StopReason | null }): string =>
  stop === null ? status : `${status} ${stopText(stop)}`

/** What a permission for the whole session covers: this tool of this executor, and of this server where it has one. */
export const grantKey = (call: Pick<Call, "executor" | "server" | "name">): string =>
  [call.executor, ...(call.server === null ? [] : [call.server]), call.name].join(":")

/** Who runs a call once it is allowed: clients and workers do so themselves, and owe its result. */
export const awaitsOnceAllowed = (executor: Call["executor"]): Call["awaits"] =>
  executor === "client" || executor === "worker" ? "result" : "nothing"

/** Calls that wait for somebody outside. */
export const awaiting = (turn: Turn): ReadonlyArray<Call> => turn.calls.filter((call) => call.awaits !== "nothing")

export const limitKey = (limit: BudgetLimit): string =>
  `${limit.scope}:${limit.metric}:${limit.enforcement}:${limit.max}`

const workedMs = (turn: Turn | null, at: number): number =>
  turn?.phase._tag === "Working" ? Math.max(0, at - turn.phase.startedAt) : 0

/** What a session has used by now, the work under way included. */
export const sessionUse = (session: OpenSession, at: number): Totals => {
  const underWay = session.threads.reduce((sum, thread) => sum + workedMs(thread.turn, at), 0)
  return underWay === 0 ? session.totals : { ...session.totals, activeMs: session.totals.activeMs + underWay }
}

/** What a turn has used by now. */
export const turnUse = (turn: Turn, at: number): Totals => {
  const underWay = workedMs(turn, at)
  return underWay === 0 ? turn.totals : { ...turn.totals, activeMs: turn.totals.activeMs + underWay }
}

/** How much of a limit is used: by the session, or by that of its running turns which has used most. */
export const used = (session: OpenSession, limit: BudgetLimit, at: number): number => {
  const turns = session.threads.flatMap(({ turn }) => (turn === null ? [] : [turn]))
  const uses = limit.scope === "session" ? [sessionUse(session, at)] : turns.map((turn) => turnUse(turn, at))
  return uses.reduce((most, totals) => Math.max(most, consumed(totals, limit)), 0)
}

/** Limits that have been come up to and that nobody raised or let pass. */
export const spent = (session: OpenSession, turn: Turn | null): Budget => {
  if (session.budget.length === 0) return session.budget
  return session.budget.filter((limit) => {
    const scope = limit.scope === "session" ? session : turn
    if (scope === null) return false
    const key = limitKey(limit)
    if (limit.enforcement === "soft" && scope.acknowledged.includes(key)) return false
    return scope.announced.includes(key) || consumed(scope.totals, limit) >= limit.max
  })
}

/** Why a thread may not go on now although there is work, if so. */
export const held = (session: OpenSession, thread: Thread): "paused" | "budget" | null =>
  session.paused ? "paused" : spent(session, thread.turn).length > 0 ? "budget" : null

const heldStatus = (reason: "paused" | "budget"): Status =>
  stopped({ type: reason === "paused" ? "paused" : "budget_reached" })

/** What a thread shows. */
export const threadStatus = (session: OpenSession, thread: Thread): Status => {
  if (session.ended !== null || thread.archived) return terminated
  const turn = thread.turn
  if (turn === null) {
    const next = thread.queue[0]
    if (next === undefined && thread.retry === null) return stopped(thread.stop)
    if (thread.retry === null && next?.needsApproval === true)
      return stopped({ type: "requires_action", eventIds: [next.inputId] })
    const hold = held(session, thread)
    return hold === null ? running : heldStatus(hold)
  }
  const open = turn.phase._tag === "Suspended" ? awaiting(turn) : []
  if (open.length > 0) return stopped({ type: "requires_action", eventIds: open.map((call) => call.callId) })
  if (turn.phase._tag === "Working") return running
  if (turn.phase._tag === "Deciding") return stopped({ type: "requires_action", eventIds: turn.phase.callIds })
  const hold = held(session, thread)
  if (hold !== null) return heldStatus(hold)
  return turn.phase._tag === "Placing" && turn.phase.notBefore !== null ? rescheduling : running
}

const rank = (stop: StopReason): number =>
  stop.type === "requires_action" ? 3 : stop.type === "budget_reached" ? 2 : stop.type === "paused" ? 1 : 0

/** What a session shows: running if any thread runs; else the most urgent reason to be at rest. */
export const sessionStatus = (session: OpenSession): Status => {
  if (session.ended !== null) return terminated
  const all = session.threads.filter((thread) => !thread.archived).map((thread) => threadStatus(session, thread))
  if (all.some((one) => one.status === "running")) return running
  if (all.some((one) => one.status === "rescheduling")) return rescheduling
  const stops = all.flatMap((one) => (one.stop === null ? [] : [one.stop]))
  const first = stops.reduce((best, stop) => (rank(stop) > rank(best) ? stop : best), stops[0] ?? { type: "end_turn" })
  if (first.type !== "requires_action") return stopped(first)
  const eventIds = stops.flatMap((stop) => (stop.type === "requires_action" ? stop.eventIds : []))
  return stopped({ type: "requires_action", eventIds })
}

/** When the session wants to be woken: 0 while a turn is live, else when something is next due, else never. */
export const wakeAt = (session: OpenSession): number | null => {
  if (session.redactions.length > 0) return 0
  if (session.ended !== null) return null
  const times: Array<number> = session.timers.map((timer) => timer.dueAt)
  const expiry = expiresAt(session)
  if (expiry !== null) times.push(expiry)
  for (const thread of session.threads) {
    const turn = thread.turn
    if (turn === null) continue
    if (turn.phase._tag === "Working") return 0
    if (turn.phase._tag === "Placing" && held(session, thread) === null) {
      if (turn.phase.notBefore === null) return 0
      times.push(turn.phase.notBefore)
    }
    for (const call of turn.calls) if (call.awaits !== "nothing" && call.expiresAt !== null) times.push(call.expiresAt)
  }
  return times.reduce<number | null>((first, time) => Math.max(1, Math.min(first ?? time, time)), null)
}
