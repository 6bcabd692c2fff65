import { Effect, Latch } from "effect"

/** Something changes now and then, and others wait until it is as they want it. */
export class Signal {
  private changed = Latch.makeUnsafe(false)

  touch(): void {
    const before = this.changed
    this.changed = Latch.makeUnsafe(false)
    before.openUnsafe()
  }

  /** The next change after this is read. */
  get next(): Effect.Effect<void> {
    return this.changed.await
  }

  until(condition: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(this.next, this.until(condition))))
  }
}
