import { type Context, Effect, Fiber } from "effect"

/**
 * What waits to be worked through, in the order in which it came. There is a fiber only while there is mail: most sessions
 * in memory wait for nothing, and a fiber that waits for them costs as much as what they fold to.
 */
export class Mailbox<Mail> {
  private waiting: Array<Mail> = []
  private worker: Fiber.Fiber<void> | null = null
  private closed = false
  private readonly context: Context.Context<never>
  private readonly takenMax: number
  private readonly handle: (taken: ReadonlyArray<Mail>) => Effect.Effect<void>

  constructor(
    context: Context.Context<never>,
    takenMax: number,
    handle: (taken: ReadonlyArray<Mail>) => Effect.Effect<void>
  ) {
    this.context = context
    this.takenMax = takenMax
    this.handle = handle
  }

  /** False where nobody will ever take it. */
  offer(mail: Mail): boolean {
    if (this.closed) return false
    this.waiting.push(mail)
    this.worker ??= Effect.runForkWith(this.context)(this.work())
    return true
  }

  /** Takes no more, finishes what was taken, and returns the rest. */
  close(): Effect.Effect<ReadonlyArray<Mail>> {
    return Effect.suspend(() => {
      this.closed = true
      const left = this.waiting
      this.waiting = []
      return this.worker === null ? Effect.succeed(left) : Effect.as(Fiber.await(this.worker), left)
    })
  }

  /** Begins with the next turn of the scheduler: who comes in the same one is taken along. */
  private work(): Effect.Effect<void> {
    const handled = Effect.suspend(() => this.handle(this.take()))
    const next: Effect.Effect<void> = Effect.suspend(() => {
      if (this.waiting.length === 0) {
        this.worker = null
        return Effect.void
      }
      return Effect.matchCauseEffect(handled, {
        onSuccess: () => next,
        onFailure: (cause) => Effect.andThen(Effect.logError("Mail broke who handled it", cause), next)
      })
    })
    return Effect.andThen(Effect.yieldNow, next)
  }

  private take(): ReadonlyArray<Mail> {
    const taken = this.waiting
    this.waiting = taken.length > this.takenMax ? taken.splice(this.takenMax) : []
    return taken
  }
}
