import { Effect, Semaphore } from "effect"

interface Line {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
}

/** Lets those with the same name through one after the other, on this node. */
export const make = Effect.sync(() => {
  const lines = new Map<string, Line>()

  const take = <A, E, R>(name: string, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const line = lines.get(name) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0 }
        line.waiting++
        lines.set(name, line)
        return line
      }),
      ({ semaphore }) => semaphore.withPermits(1)(work),
      (line) =>
        Effect.sync(() => {
          line.waiting--
          if (line.waiting === 0) lines.delete(name)
        })
    )

  return { take }
})
