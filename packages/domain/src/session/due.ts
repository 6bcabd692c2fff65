import type { OpenSession } from "./SessionState.ts"
import { awaiting, held } from "./standing.ts"

/** The next moment at which something falls due by itself, for an owner that keeps the session in memory. */
export const nextDue = (session: OpenSession): number | null => {
  let earliest: number | null = null
  const at = (time: number | null) => {
    if (time !== null && (earliest === null || time < earliest)) earliest = time
  }
  for (const timer of session.timers) at(timer.dueAt)
  if (session.ended !== null) return earliest
  for (const thread of session.threads) {
    const turn = thread.turn
    if (turn === null) continue
    for (const call of awaiting(turn)) at(call.expiresAt)
    if (turn.phase._tag === "Placing" && held(session, thread) === null) at(turn.phase.notBefore)
    if (turn.phase._tag !== "Working") continue
    at(turn.interrupt?.deadline ?? null)
    for (const limit of session.budget) {
      if (limit.metric !== "active_ms") continue
      const used = (limit.scope === "session" ? session.totals : turn.totals).activeMs
      at(turn.phase.startedAt + Math.max(0, limit.max - used))
    }
  }
  return earliest
}
