import type { TimelineItem, TimelineTurn } from "@troupe/domain/session/Timeline"
import { addSearches, addUsage, noTotals, type Totals, type Usage } from "@troupe/domain/session/Usage"

/** What these have used, as far as the log says it: requests, and calls with what they searched the web for. */
export const usedIn = (items: ReadonlyArray<TimelineItem>): Totals =>
  items.reduce<Totals>((totals, item) => {
    if (item.kind === "request" && item.usage !== null) return addUsage(totals, item.usage)
    if (item.kind !== "call") return totals
    const searched = addSearches(totals, item.webSearches)
    return item.startedAt === null ? searched : { ...searched, toolCalls: searched.toolCalls + 1 }
  }, noTotals)

/** What a turn has used, with its time. */
export const usedBy = ({ attempts, items }: TimelineTurn): Totals => ({
  ...usedIn(items),
  activeMs: attempts.reduce((sum, { endedAt, startedAt }) => sum + ((endedAt ?? startedAt) - startedAt), 0)
})

/** What these requests used together. */
export const sumOf = (used: ReadonlyArray<Usage>): Totals => used.reduce(addUsage, noTotals)

/** Requests whose price is not known make the sum unknown. */
export const costOf = ({ costMicroUsd, unpricedRequests }: Totals): number | null =>
  unpricedRequests > 0 ? null : costMicroUsd
