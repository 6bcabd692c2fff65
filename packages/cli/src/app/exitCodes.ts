/** What an exit code says. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  noServer: 3,
  refused: 4,
  waits: 5,
  budget: 6,
  interrupted: 130
} as const
