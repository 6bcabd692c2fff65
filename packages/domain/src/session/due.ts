import { type BudgetLimit, leftMs } from "./Budget.ts"
import { expiresAt } from "./rest.ts"
import type { OpenSession, Turn } from "./SessionState.ts"
import { awaiting, limitKey } from "./standing.ts"
import type { Totals } from "./Usage.ts"

const startOf = (turn: Turn | null): ReadonlyArray<number> =>
  turn?.phase._tag === "Working" ? [turn.phase.startedAt] : []

/** When a limit that working time counts for will be come up to if what works goes on. */
const workedOut = (session: OpenSession, limit: BudgetLimit): ReadonlyArray<number> => {
  const at =
    (scope: { readonly totals: Totals; readonly announced: ReadonlyArray<string> }) =>
    (starts: ReadonlyArray<number>): ReadonlyArray<number> => {
      const left = leftMs(scope.totals, limit)
      if (left === null || starts.length === 0 || scope.announced.includes(limitKey(limit))) return []
      return [Math.ceil((left + starts.reduce((sum, start) => sum + start, 0)) / starts.length)]
    }
  const turns = session.threads.map(({ turn }) => turn)
  return limit.scope === "session"
    ? at(session)(turns.flatMap(startOf))
    : turns.flatMap((turn) => (turn === null ? [] : at(turn)(startOf(turn))))
}

/**
 * The next moment at which a `Wake` will change something. One at that moment settles it, so that an owner that keeps the
 * session in memory and wakes it then never does so twice. A turn's retry is not among them: placing it is up to the owner.
 */
export const nextDue = (session: OpenSession): number | null => {
  if (session.ended !== null) return null
  const times: Array<number> = session.timers.map((timer) => timer.dueAt)
  for (const { turn } of session.threads) {
    if (turn === null) continue
    for (const { expiresAt } of awaiting(turn)) if (expiresAt !== null) times.push(expiresAt)
    if (turn.phase._tag === "Working" && turn.interrupt !== null) times.push(turn.interrupt.deadline)
  }
  const expiry = expiresAt(session)
  if (expiry !== null) times.push(expiry)
  for (const limit of session.budget) times.push(...workedOut(session, limit))
  return times.length === 0 ? null : Math.min(...times)
}
