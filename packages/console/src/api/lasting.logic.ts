import { ApiError } from "@troupe/client"

const passing: ReadonlySet<number> = new Set([408, 409, 425, 429])

/** What can't get better by asking again: who asks may not, or what is asked for is not there. */
export const isLasting = (error: unknown): boolean =>
  error instanceof ApiError && error.status < 500 && !passing.has(error.status)
