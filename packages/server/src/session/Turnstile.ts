import { Effect } from "effect"

/** So long may those who pass hold the process, before what has come in meanwhile gets its turn. */
const sliceMs = 1

/**
 * What readers pass that come back or are behind. Thousands of them come at once, each with work for which nobody waits as
 * urgently as somebody does for a command's answer: they go through one after the other, and after each slice of time the
 * process looks what else there is.
 */
export class Turnstile {
  private readonly waiting = new Set<() => void>()
  private isTurning = false

  /** Passes when it is this one's turn. */
  readonly pass: Effect.Effect<void> = Effect.callback<void>((resume) => {
    const go = () => resume(Effect.void)
    this.waiting.add(go)
    if (!this.isTurning) this.turnLater()
    return Effect.sync(() => this.waiting.delete(go))
  })

  private turnLater(): void {
    this.isTurning = this.waiting.size > 0
    // What was read from sockets comes first in each turn of the process's loop.
    if (this.isTurning) setImmediate(() => this.turn())
  }

  private turn(): void {
    const until = performance.now() + sliceMs
    for (const go of this.waiting) {
      this.waiting.delete(go)
      go()
      if (performance.now() >= until) break
    }
    this.turnLater()
  }
}
