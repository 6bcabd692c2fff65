import { Effect, Exit, Option } from "effect"

export interface TogetherOptions {
  /** How many questions may be under way. */
  readonly underWayMax: number
  /** How many are asked for at once. */
  readonly keysMax: number
}

/** So many are told, and go on with what they do, before others get their turn. */
const toldAtOnce = 32

type Tell<A, E> = (answer: Exit.Exit<Option.Option<A>, E>) => void

/**
 * Asks one question for many who ask alone: whoever comes while enough are under way goes with the next one, so that an answer
 * is always newer than its question, and those who want the same are answered by one.
 */
export const make = Effect.fnUntraced(function* <A, E>(
  ask: (keys: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, A>, E>,
  { keysMax, underWayMax }: TogetherOptions
) {
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context())
  const waiting = new Map<string, Array<Tell<A, E>>>()
  let underWay = 0

  const next = Effect.gen(function* () {
    while (waiting.size > 0) {
      const some = [...waiting].slice(0, keysMax)
      for (const [key] of some) waiting.delete(key)
      const exit = yield* Effect.exit(ask(some.map(([key]) => key)))
      let told = 0
      for (const [key, all] of some) {
        const answer = Exit.map(exit, (found) => Option.fromUndefinedOr(found.get(key)))
        for (const tell of all) {
          tell(answer)
          if (++told % toldAtOnce === 0) yield* Effect.yieldNow
        }
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => underWay--)))

  return (key: string): Effect.Effect<Option.Option<A>, E> =>
    Effect.callback((resume) => {
      const tell: Tell<A, E> = (answer) => resume(answer)
      const known = waiting.get(key)
      if (known === undefined) waiting.set(key, [tell])
      else known.push(tell)
      if (underWay >= underWayMax) return
      underWay++
      runFork(Effect.forkIn(next, scope))
    })
})
