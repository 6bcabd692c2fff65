/** What an instant model says that it used. */
export const usage = {
  inputTokens: 40,
  outputTokens: 9,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0
}
