import { Effect } from "effect"
import { telling } from "./progress.ts"

/** Says how far something is for as long as it goes on. Apart from what a chat loads, which knows nothing of effects. */
export const whileTelling = <A, E, R>(
  line: (ms: number) => string,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => telling(line)),
    () => work,
    (told) => Effect.sync(() => told[Symbol.dispose]())
  )
