import { Schema } from "effect"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What one model request used. `measured` came from the provider, `estimated` stands in where no answer came back. */
export const Usage = Schema.Struct({
  source: Schema.Literals(["measured", "estimated"]),
  inputTokens: Count,
  outputTokens: Count,
  cacheReadTokens: Count,
  cacheWrite5mTokens: Count,
  cacheWrite1hTokens: Count,
  webSearches: Count,
  webFetches: Count,
  /** Null where the model's price is not known: unknown, never zero. */
  costMicroUsd: Schema.NullOr(Count)
})
export type Usage = typeof Usage.Type

/** Sums over model requests, tool calls and working time. They add up over attempts and never reset. */
export const Totals = Schema.Struct({
  modelRequests: Count,
  estimatedRequests: Count,
  unpricedRequests: Count,
  inputTokens: Count,
  outputTokens: Count,
  cacheReadTokens: Count,
  cacheWrite5mTokens: Count,
  cacheWrite1hTokens: Count,
  webSearches: Count,
  webFetches: Count,
  costMicroUsd: Count,
  toolCalls: Count,
  activeMs: Count
})
export type Totals = typeof Totals.Type

export const noTotals: Totals = {
  modelRequests: 0,
  estimatedRequests: 0,
  unpricedRequests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: 0,
  toolCalls: 0,
  activeMs: 0
}

export const addUsage = (totals: Totals, usage: Usage): Totals => ({
  ...totals,
  modelRequests: totals.modelRequests + 1,
  estimatedRequests: totals.estimatedRequests + (usage.source === "estimated" ? 1 : 0),
  unpricedRequests: totals.unpricedRequests + (usage.costMicroUsd === null ? 1 : 0),
  inputTokens: totals.inputTokens + usage.inputTokens,
  outputTokens: totals.outputTokens + usage.outputTokens,
  cacheReadTokens: totals.cacheReadTokens + usage.cacheReadTokens,
  cacheWrite5mTokens: totals.cacheWrite5mTokens + usage.cacheWrite5mTokens,
  cacheWrite1hTokens: totals.cacheWrite1hTokens + usage.cacheWrite1hTokens,
  webSearches: totals.webSearches + usage.webSearches,
  webFetches: totals.webFetches + usage.webFetches,
  costMicroUsd: totals.costMicroUsd + (usage.costMicroUsd ?? 0)
})

/** A search at list price, in millionths of a dollar: ten dollars for a thousand. */
export const searchMicroUsd = 10_000

export const addSearches = (totals: Totals, searches: number): Totals =>
  searches === 0
    ? totals
    : {
        ...totals,
        webSearches: totals.webSearches + searches,
        costMicroUsd: totals.costMicroUsd + searches * searchMicroUsd
      }

/** Every token that counts against a budget. */
export const tokens = (totals: Totals): number =>
  totals.inputTokens +
  totals.outputTokens +
  totals.cacheReadTokens +
  totals.cacheWrite5mTokens +
  totals.cacheWrite1hTokens
