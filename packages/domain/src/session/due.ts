import type { BudgetLimit } from "./Budget.ts"
import type { OpenSession, Turn } from "./SessionState.ts"
import { awaiting, held, limitKey } from "./standing.ts"

/** When working turns use up what is left of a limit on working time, if nobody was told that they did. */
const usedUp = (
  limit: BudgetLimit,
  scope: Pick<OpenSession, "totals" | "announced">,
  turns: ReadonlyArray<Turn | null>
): number | null => {
  const starts = turns.flatMap((turn) => (turn?.phase._tag === "Working" ? [turn.phase.startedAt] : []))
  if (starts.length === 0 || limit.metric !== "active_ms" || scope.announced.includes(limitKey(limit))) return null
  const left = Math.max(0, limit.max - scope.totals.activeMs)
  return Math.ceil((left + starts.reduce((sum, start) => sum + start, 0)) / starts.length)
}

/** The next moment at which something falls due by itself, for an owner that keeps the session in memory. */
export const nextDue = (session: OpenSession): number | null => {
  // Nothing falls due in a session that has ended: its timers never fire.
  if (session.ended !== null) return null
  let earliest: number | null = null
  const at = (time: number | null) => {
    if (time !== null && (earliest === null || time < earliest)) earliest = time
  }
  const turns = session.threads.map((thread) => thread.turn)
  for (const timer of session.timers) at(timer.dueAt)
  for (const limit of session.budget) {
    if (limit.scope === "session") at(usedUp(limit, session, turns))
    else for (const turn of turns) if (turn !== null) at(usedUp(limit, turn, [turn]))
  }
  for (const thread of session.threads) {
    const turn = thread.turn
    if (turn === null) continue
    for (const call of awaiting(turn)) at(call.expiresAt)
    if (turn.phase._tag === "Placing" && held(session, thread) === null) at(turn.phase.notBefore)
    if (turn.phase._tag === "Working") at(turn.interrupt?.deadline ?? null)
  }
  return earliest
}
