import { Effect, Random } from "effect"

const baseMs = 200
const capMs = 30_000

/** Waits longer and longer, and never in step with others: decorrelated jitter. */
export interface Backoff {
  readonly wait: Effect.Effect<void>
  readonly reset: () => void
  /** As long as it gets, at once. */
  readonly slowDown: () => void
}

export const backoff = (): Backoff => {
  let last = baseMs
  let least = baseMs
  return {
    wait: Effect.gen(function* () {
      last = Math.min(capMs, yield* Random.nextIntBetween(least, Math.max(least + 1, last * 3)))
      yield* Effect.sleep(last)
    }),
    reset: () => {
      last = least = baseMs
    },
    slowDown: () => {
      last = capMs
      least = capMs / 2
    }
  }
}
