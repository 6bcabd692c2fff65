import * as Budget from "./Budget.ts"
import type { OpenSession, Thread, Turn } from "./SessionState.ts"
import type { Status, StopReason } from "./Status.ts"

const stopped = (stop: StopReason): Status => ({ status: "idle", stop })

export const limitKey = (limit: Budget.BudgetLimit): string =>
  `${limit.scope}:${limit.metric}:${limit.enforcement}:${limit.max}`

/** Limits that have been come up to and that nobody raised or let pass. */
export const spent = (session: OpenSession, turn: Turn | null): Budget.Budget => {
  if (session.budget.length === 0) return session.budget
  const reached = Budget.reached(session.budget, session.totals, turn?.totals ?? null)
  return session.budget.filter((limit) => {
    const key = limitKey(limit)
    const announced = session.announced.includes(key) && (limit.scope === "session" || turn !== null)
    if (!announced && !reached.includes(limit)) return false
    return limit.enforcement === "hard" || !session.acknowledged.includes(key)
  })
}

/** Why a thread may not go on now although there is work, if so. */
export const held = (session: OpenSession, thread: Thread): "paused" | "budget" | null =>
  session.paused ? "paused" : spent(session, thread.turn).length > 0 ? "budget" : null

const heldStop = (reason: "paused" | "budget"): StopReason => ({ type: reason === "paused" ? "paused" : "budget_reached" })

/** Calls that wait for somebody outside. */
export const awaiting = (turn: Turn) => turn.calls.filter((call) => call.awaits !== "nothing")

export const threadStatus = (session: OpenSession, thread: Thread): Status => {
  if (session.ended !== null || thread.archived) return { status: "terminated", stop: null }
  const hold = held(session, thread)
  const turn = thread.turn
  if (turn === null) {
    const next = thread.queue[0]
    if (next === undefined) return stopped(thread.stop)
    if (next.needsApproval) return stopped({ type: "requires_action", eventIds: [next.inputId] })
    return hold === null ? { status: "running", stop: null } : stopped(heldStop(hold))
  }
  switch (turn.phase._tag) {
    case "Working":
      return { status: "running", stop: null }
    case "Placing":
      if (hold !== null) return stopped(heldStop(hold))
      return { status: turn.phase.notBefore === null ? "running" : "rescheduling", stop: null }
    case "Deciding":
      return stopped({ type: "requires_action", eventIds: turn.phase.callIds })
    case "Suspended": {
      const open = awaiting(turn)
      if (open.length > 0) return stopped({ type: "requires_action", eventIds: open.map((call) => call.callId) })
      return hold === null ? { status: "running", stop: null } : stopped(heldStop(hold))
    }
  }
}

const rank = (stop: StopReason): number =>
  stop.type === "requires_action" ? 3 : stop.type === "budget_reached" ? 2 : stop.type === "paused" ? 1 : 0

/** Running if any thread runs; else the most urgent reason to be at rest. */
export const sessionStatus = (session: OpenSession): Status => {
  if (session.ended !== null) return { status: "terminated", stop: null }
  const all = session.threads.filter((thread) => !thread.archived).map((thread) => threadStatus(session, thread))
  const running = all.find((one) => one.status === "running")
  if (running !== undefined) return running
  const rescheduling = all.find((one) => one.status === "rescheduling")
  if (rescheduling !== undefined) return rescheduling
  const stops = all.flatMap((one) => (one.stop === null ? [] : [one.stop]))
  const first = stops.reduce<StopReason>((best, stop) => (rank(stop) > rank(best) ? stop : best), stops[0] ?? {
    type: "end_turn"
  })
  if (first.type !== "requires_action") return stopped(first)
  const eventIds = stops.flatMap((stop) => (stop.type === "requires_action" ? stop.eventIds : []))
  return stopped({ type: "requires_action", eventIds })
}

/** When the session wants to be woken: 0 while a turn is live, else the earliest timer, else never. */
export const wakeAt = (session: OpenSession): number | null => {
  let earliest: number | null = null
  const at = (time: number | null) => {
    if (time !== null && (earliest === null || time < earliest)) earliest = time
  }
  if (session.redactions.length > 0) return 0
  for (const timer of session.timers) at(timer.dueAt)
  if (session.ended !== null) return null
  for (const thread of session.threads) {
    const turn = thread.turn
    if (turn === null) continue
    if (turn.phase._tag === "Working") return 0
    if (turn.phase._tag === "Placing" && held(session, thread) === null) {
      if (turn.phase.notBefore === null) return 0
      at(turn.phase.notBefore)
    }
    for (const call of turn.calls) if (call.awaits !== "nothing") at(call.expiresAt)
  }
  return earliest
}
