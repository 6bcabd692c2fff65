import { Schema } from "effect"
import { type Totals, tokens } from "./Usage.ts"

export const BudgetMetric = Schema.Literals(["tokens", "cost_micro_usd", "active_ms", "tool_calls", "model_requests"])
export type BudgetMetric = typeof BudgetMetric.Type

/** A bound on what a session may use. Hard stops between model requests; soft asks a person. */
export const BudgetLimit = Schema.Struct({
  metric: BudgetMetric,
  max: Schema.Int.check(Schema.isGreaterThan(0)),
  enforcement: Schema.Literals(["hard", "soft"]),
  scope: Schema.Literals(["session", "turn"]),
  /** Of a limit on cost: what an hour of work counts for, beside what was asked of models. */
  hourMicroUsd: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
})
export type BudgetLimit = typeof BudgetLimit.Type

/** Whether it bounds what a session may cost: the one limit that clients of the compatible API know, as its budget. */
export const isCostCap = ({ enforcement, metric, scope }: BudgetLimit): boolean =>
  metric === "cost_micro_usd" && enforcement === "hard" && scope === "session"

export const Budget = Schema.Array(BudgetLimit).check(Schema.isMaxLength(20))
export type Budget = typeof Budget.Type

const hourMs = 3_600_000

/** What was asked of models, and the work where its time has a price. */
export const costOfWork = ({ activeMs, costMicroUsd }: Totals, hourMicroUsd = 0): number =>
  costMicroUsd + Math.floor((activeMs * hourMicroUsd) / hourMs)

/** How much of a limit the totals come to. */
export const consumed = (totals: Totals, { hourMicroUsd, metric }: BudgetLimit): number => {
  switch (metric) {
    case "tokens":
      return tokens(totals)
    case "cost_micro_usd":
      return costOfWork(totals, hourMicroUsd)
    case "active_ms":
      return totals.activeMs
    case "tool_calls":
      return totals.toolCalls
    case "model_requests":
      return totals.modelRequests
  }
}

/** How much longer it may be worked before a limit is come up to, if nothing else is used; null where time counts for nothing. */
export const leftMs = (
  { activeMs, costMicroUsd }: Totals,
  { hourMicroUsd, max, metric }: BudgetLimit
): number | null => {
  if (metric === "active_ms") return max - activeMs
  if (metric !== "cost_micro_usd" || hourMicroUsd === undefined) return null
  return Math.ceil(((max - costMicroUsd) * hourMs) / hourMicroUsd) - activeMs
}
