import { nextDue } from "@troupe/domain/session/due"
import type { OpenSession } from "@troupe/domain/session/SessionState"
import { type Clock, Effect } from "effect"

/** Whose alarm it is. */
export interface Sleeper {
  readonly clock: Clock.Clock
  /** Runs one effect of this name at a time: the next one ends the one before it. */
  run(name: string, effect: Effect.Effect<void>): void
  sessionNow(): OpenSession | undefined
  /** Lets the session see to what is due. */
  wake(): Effect.Effect<void>
  /** The moment has come. */
  rang(): void
}

const againMs = 1_000

/** Time falls due by itself: one sleep serves all of a session's timers, expiries and deadlines. */
export class Alarm {
  /** When it rings; null: never. */
  at: number | null = null
  private wokenAt = -1
  private readonly sleeper: Sleeper

  constructor(sleeper: Sleeper) {
    this.sleeper = sleeper
  }

  /** Rings at the first moment at which something of the session falls due, or one of these others comes. */
  set(session: OpenSession, others: ReadonlyArray<number>): void {
    const next = Math.min(nextDue(session) ?? Infinity, ...others)
    if (next === (this.at ?? Infinity)) return
    this.at = next === Infinity ? null : next
    this.sleeper.run("alarm", this.at === null ? Effect.void : this.ring(this.at))
  }

  stop(): void {
    this.at = null
  }

  private ring(at: number): Effect.Effect<void> {
    const { sleeper } = this
    const now = () => sleeper.clock.currentTimeMillisUnsafe()
    return Effect.gen({ self: this }, function* () {
      // What an earlier wake left due can't be helped by hurry.
      yield* Effect.sleep(Math.max(at - now(), at <= this.wokenAt ? againMs : 0))
      this.at = null
      const session = sleeper.sessionNow()
      const due = session === undefined ? null : nextDue(session)
      if (due !== null && due <= now()) {
        this.wokenAt = now()
        yield* sleeper.wake()
      }
      sleeper.rang()
    })
  }
}
