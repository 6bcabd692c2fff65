import { Schema } from "effect"
import { type Totals, tokens } from "./Usage.ts"

export const BudgetMetric = Schema.Literals(["tokens", "cost_micro_usd", "active_ms", "tool_calls", "model_requests"])
export type BudgetMetric = typeof BudgetMetric.Type

/** A bound on what a session may use. Hard stops between model requests; soft asks a person. */
export const BudgetLimit = Schema.Struct({
  metric: BudgetMetric,
  max: Schema.Int.check(Schema.isGreaterThan(0)),
  enforcement: Schema.Literals(["hard", "soft"]),
  scope: Schema.Literals(["session", "turn"])
})
export type BudgetLimit = typeof BudgetLimit.Type

/** Whether it bounds what a session may cost: the one limit that clients of the compatible API know, as its budget. */
export const isCostCap = ({ enforcement, metric, scope }: BudgetLimit): boolean =>
  metric === "cost_micro_usd" && enforcement === "hard" && scope === "session"

export const Budget = Schema.Array(BudgetLimit).check(Schema.isMaxLength(20))
export type Budget = typeof Budget.Type

/** How much of a metric the totals come to. */
export const consumed = (totals: Totals, metric: BudgetMetric): number => {
  switch (metric) {
    case "tokens":
      return tokens(totals)
    case "cost_micro_usd":
      return totals.costMicroUsd
    case "active_ms":
      return totals.activeMs
    case "tool_calls":
      return totals.toolCalls
    case "model_requests":
      return totals.modelRequests
  }
}
