import type { Budget } from "../../session/Budget.ts"
import type { Totals } from "../../session/Usage.ts"
import type { BudgetIn, Usage } from "../Sessions.ts"

const microUsdInCent = 10_000

/** A limit on cost as the session keeps it. */
export const budgetIn = (budget: BudgetIn | null | undefined): Budget =>
  budget == null
    ? []
    : [
        {
          metric: "cost_micro_usd",
          max: Number(budget.max_list_cost.amount) * microUsdInCent,
          enforcement: "hard",
          scope: "session"
        }
      ]

/** The limit on cost among a session's limits: the only one that the compatible API knows. */
export const budgetOut = (budget: Budget): BudgetIn | null => {
  const limit = budget.find(
    ({ enforcement, metric, scope }) => metric === "cost_micro_usd" && enforcement === "hard" && scope === "session"
  )
  if (limit === undefined) return null
  const amount = String(Math.floor(limit.max / microUsdInCent))
  return { type: "limit", max_list_cost: { amount, currency: "USD" } }
}

/** What a session has used. Costs are exact inside and whole cents outside. */
export const usageOut = (totals: Totals): Usage => ({
  input_tokens: totals.inputTokens,
  output_tokens: totals.outputTokens,
  cache_read_input_tokens: totals.cacheReadTokens,
  cache_creation: {
    ephemeral_5m_input_tokens: totals.cacheWrite5mTokens,
    ephemeral_1h_input_tokens: totals.cacheWrite1hTokens
  },
  active_seconds: totals.activeMs / 1_000,
  list_cost:
    totals.unpricedRequests > 0
      ? null
      : { amount: String(Math.round(totals.costMicroUsd / microUsdInCent)), currency: "USD" },
  server_tool_use:
    totals.webSearches + totals.webFetches === 0
      ? null
      : { web_search_requests: totals.webSearches, web_fetch_requests: totals.webFetches }
})
