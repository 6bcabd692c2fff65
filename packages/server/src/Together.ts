import { Deferred, Effect, Exit, Option } from "effect"

export interface TogetherOptions {
  /** How many questions may be under way. */
  readonly underWayMax: number
  /** How many are asked for at once. */
  readonly keysMax: number
}

/**
 * Asks one question for many who ask alone: whoever comes while enough are under way goes with the next one, so that an answer
 * is always newer than its question, and those who want the same are answered by one.
 */
export const make = Effect.fnUntraced(function* <A, E>(
  ask: (keys: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, A>, E>,
  { keysMax, underWayMax }: TogetherOptions
) {
  const scope = yield* Effect.scope
  const waiting = new Map<string, Deferred.Deferred<Option.Option<A>, E>>()
  let underWay = 0

  const next = Effect.gen(function* () {
    while (waiting.size > 0) {
      const some = [...waiting].slice(0, keysMax)
      for (const [key] of some) waiting.delete(key)
      const exit = yield* Effect.exit(ask(some.map(([key]) => key)))
      for (const [key, answer] of some) {
        Deferred.doneUnsafe(
          answer,
          Exit.map(exit, (found) => Option.fromUndefinedOr(found.get(key)))
        )
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => underWay--)))

  return (key: string): Effect.Effect<Option.Option<A>, E> =>
    Effect.gen(function* () {
      const known = waiting.get(key)
      const answer = known ?? Deferred.makeUnsafe<Option.Option<A>, E>()
      if (known === undefined) waiting.set(key, answer)
      if (underWay < underWayMax) {
        underWay++
        yield* Effect.forkIn(next, scope)
      }
      return yield* Deferred.await(answer)
    })
})
