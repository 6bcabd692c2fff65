import { listMicroUsd } from "@troupe/domain/api/compat/money"
import { consumed } from "@troupe/domain/session/Budget"
import type { Timeline } from "@troupe/domain/session/Timeline"
import { noTotals, type Totals } from "@troupe/domain/session/Usage"
import type { Session, SessionUpdate } from "@troupe/client"
import {
  amount,
  type LimitDraft,
  limitDraftOf,
  limitText,
  type SessionLimit,
  sessionLimitsIn,
  wrongWithSession
} from "../limits/limits.logic.ts"
import { centsOf } from "../sessions/newSession.logic.ts"
import { cost, microUsdOf } from "../ui/format.logic.ts"
import { currentTurn, primaryOf } from "./rows.logic.ts"
import { usedBy } from "./used.logic.ts"

/** A limit of a session, with how much of it is used. */
export interface Bound {
  readonly key: string
  readonly title: string
  readonly used: string
  /** From 0 to 1. */
  readonly share: number
  readonly enforcement: SessionLimit["enforcement"]
}

const budgetOf = (totals: Totals, { budget }: Session): ReadonlyArray<Bound> => {
  const counted = listMicroUsd(totals)
  const max = budget === null ? null : microUsdOf(budget.max_list_cost)
  if (counted === null || max === null || max === 0) return []
  const bound = { key: "budget", title: `Budget of ${cost(max)}, then it stops`, used: cost(counted) }
  return [{ ...bound, share: Math.min(1, counted / max), enforcement: "hard" }]
}

/** All that bounds a session: its budget, where all it used has a price, and its limits. */
export const boundsOf = (timeline: Timeline, session: Session | null): ReadonlyArray<Bound> => {
  if (session === null) return []
  const inAll = timeline.totals ?? noTotals
  const turn = currentTurn(primaryOf(timeline))
  const inTurn = turn === null ? noTotals : usedBy(turn)
  const limits = session.troupe.limits.map((limit): Bound => {
    const used = consumed(limit.scope === "turn" ? inTurn : inAll, limit)
    return {
      key: JSON.stringify(limit),
      title: limitText(limit),
      used: amount(limit.metric, used),
      share: Math.min(1, used / limit.max),
      enforcement: limit.enforcement
    }
  })
  return [...budgetOf(inAll, session), ...limits]
}

/** The one that is nearest to being used up; null where nothing bounds the session. */
export const nearest = (bounds: ReadonlyArray<Bound>): Bound | null =>
  bounds.reduce<Bound | null>((best, bound) => (best === null || bound.share > best.share ? bound : best), null)

/** Whether it rests because of a limit: the one that runs, or the message that would be next. */
const rests = (timeline: Timeline): boolean => {
  if (timeline.paused || timeline.endedAt !== null) return false
  const thread = primaryOf(timeline)
  const turn = currentTurn(thread)
  if (turn !== null) return turn.reason === "budget"
  return timeline.status === "idle" && thread?.queue[0]?.needsApproval === false
}

export interface Held {
  /** Whether somebody may simply say that it goes on. */
  readonly isSoft: boolean
  readonly text: string
}

/** What a session waits for that has come up to a limit; null where it has not. */
export const heldBy = (timeline: Timeline, session: Session | null): Held | null => {
  if (!rests(timeline)) return null
  const met = boundsOf(timeline, session).filter(({ share }) => share >= 1)
  const first = met.find(({ enforcement }) => enforcement === "hard") ?? met[0]
  return first === undefined ? null : { isSoft: first.enforcement === "soft", text: first.title }
}

/** What bounds a session, as somebody changes it. */
export interface BoundsDraft {
  /** Dollars; empty where it is taken away for good. Of a session without a budget nothing is made of it. */
  readonly budget: string
  readonly limits: ReadonlyArray<LimitDraft>
}

export const boundsDraftOf = ({ budget, troupe }: Session): BoundsDraft => ({
  budget: budget === null ? "" : String(Number(budget.max_list_cost.amount) / 100),
  limits: troupe.limits.map(limitDraftOf)
})

/** What is wrong with them, in words; null where they can be sent. */
export const wrongWithBounds = ({ budget, limits }: BoundsDraft): string | null =>
  centsOf(budget) === undefined ? "A budget is dollars, such as 2.50, or nothing." : wrongWithSession(limits)

export const boundsUpdateOf = ({ budget, limits }: BoundsDraft, session: Session): SessionUpdate => {
  const cents = centsOf(budget)
  const max = typeof cents === "string" ? ({ amount: cents, currency: "USD" } as const) : null
  return {
    ...(session.budget === null ? {} : { budget: max === null ? null : { type: "limit", max_list_cost: max } }),
    troupe: { limits: sessionLimitsIn(limits) }
  }
}
