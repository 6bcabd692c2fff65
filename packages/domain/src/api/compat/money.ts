import { type Budget, costOfWork, isCostCap } from "../../session/Budget.ts"
import type { Totals } from "../../session/Usage.ts"
import type { BudgetIn, SessionLimits, Usage } from "../Sessions.ts"

const microUsdInCent = 10_000
/** An hour of work at the contract's list price: eight cents. */
const hourMicroUsd = 80_000

/** A limit on cost, and others beside it, as the session keeps them. */
export const budgetIn = (budget: BudgetIn | null | undefined, limits: SessionLimits = []): Budget => {
  if (budget == null) return limits
  const max = Number(budget.max_list_cost.amount) * microUsdInCent
  return [{ metric: "cost_micro_usd", max, enforcement: "hard", scope: "session", hourMicroUsd }, ...limits]
}

/** The limit on cost among a session's limits: the only one that the compatible API knows. */
export const budgetOut = (budget: Budget): BudgetIn | null => {
  const limit = budget.find(isCostCap)
  if (limit === undefined) return null
  const amount = String(Math.floor(limit.max / microUsdInCent))
  return { type: "limit", max_list_cost: { amount, currency: "USD" } }
}

/** The other limits of a session, which are ours. */
export const limitsOut = (budget: Budget): SessionLimits => budget.filter((limit) => !isCostCap(limit))

/** What a session has used at list price, as budgets count it: tokens, searches and working time. Null: a price is not known. */
export const listMicroUsd = (totals: Totals): number | null =>
  totals.unpricedRequests > 0 ? null : costOfWork(totals, hourMicroUsd)

const moneyOut = (microUsd: number | null) =>
  microUsd === null ? null : { amount: String(Math.round(microUsd / microUsdInCent)), currency: "USD" }

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
  list_cost: moneyOut(listMicroUsd(totals)),
  server_tool_use:
    totals.webSearches + totals.webFetches === 0
      ? null
      : { web_search_requests: totals.webSearches, web_fetch_requests: totals.webFetches }
})
