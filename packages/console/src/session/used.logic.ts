import type { TimelineTurn } from "@troupe/domain/session/Timeline"
import { addSearches, addUsage, noTotals, type Totals, type Usage } from "@troupe/domain/session/Usage"

/** What a turn has used, as far as the log says it: its requests, its calls with what they searched the web for, its time. */
export const usedBy = (turn: TimelineTurn): Totals => {
  const activeMs = turn.attempts.reduce((sum, { endedAt, startedAt }) => sum + ((endedAt ?? startedAt) - startedAt), 0)
  return turn.items.reduce<Totals>(
    (totals, item) => {
      if (item.kind === "request" && item.usage !== null) return addUsage(totals, item.usage)
      if (item.kind !== "call") return totals
      const searched = addSearches(totals, item.webSearches)
      return item.startedAt === null ? searched : { ...searched, toolCalls: searched.toolCalls + 1 }
    },
    { ...noTotals, activeMs }
  )
}

/** What these requests used together. */
export const sumOf = (used: ReadonlyArray<Usage>): Totals => used.reduce(addUsage, noTotals)

/** Requests whose price is not known make the sum unknown. */
export const costOf = ({ costMicroUsd, unpricedRequests }: Totals): number | null =>
  unpricedRequests > 0 ? null : costMicroUsd
