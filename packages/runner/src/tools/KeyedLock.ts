import { Effect, Semaphore } from "effect"

/** One at a time for each key, and nothing kept for keys that nobody uses. */
export class KeyedLock {
  private readonly held = new Map<string, { readonly permit: Semaphore.Semaphore; users: number }>()

  readonly withLock =
    (key: string | null) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      key === null
        ? effect
        : Effect.acquireUseRelease(
            Effect.sync(() => this.enter(key)),
            (permit) => permit.withPermits(1)(effect),
            () => Effect.sync(() => this.leave(key))
          )

  private enter(key: string): Semaphore.Semaphore {
    const lock = this.held.get(key) ?? { permit: Semaphore.makeUnsafe(1), users: 0 }
    lock.users++
    this.held.set(key, lock)
    return lock.permit
  }

  private leave(key: string): void {
    const lock = this.held.get(key)
    if (lock !== undefined && --lock.users === 0) this.held.delete(key)
  }
}
