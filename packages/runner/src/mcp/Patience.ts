import { Clock, Effect } from "effect"

/** How long a call is waited for: so long after the last sign of it, and for ever while somebody here owes an answer. */
export class Patience {
  private readonly timeoutMs: number
  private deadline: number
  private held = 0

  constructor(timeoutMs: number, now: number) {
    this.timeoutMs = timeoutMs
    this.deadline = now + timeoutMs
  }

  /** A sign of life. */
  readonly renew = (now: number): void => {
    this.deadline = now + this.timeoutMs
  }

  /** Does what the server waits for, and not we for it. */
  holding<A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const release = Effect.map(Clock.currentTimeMillis, (now) => {
      this.held--
      this.renew(now)
    })
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.held++),
      () => work,
      () => release
    )
  }

  /** Resolves when it has run out. */
  readonly ended: Effect.Effect<void> = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const left = this.held > 0 ? this.timeoutMs : this.deadline - now
      return left <= 0 ? Effect.void : Effect.andThen(Effect.sleep(left), this.ended)
    })
  )
}
