import { Deferred, Effect } from "effect"

/** What a person or the system asks for: first to stop in order, then to end at once. */
export interface Signals {
  readonly first: Effect.Effect<void>
  readonly second: Effect.Effect<void>
}

const heard = ["SIGINT", "SIGTERM", "SIGHUP"] as const

export const signals = Effect.gen(function* () {
  const first = yield* Deferred.make<void>()
  const second = yield* Deferred.make<void>()
  const onSignal = () => {
    if (!Deferred.doneUnsafe(first, Effect.void)) Deferred.doneUnsafe(second, Effect.void)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => heard.forEach((name) => process.on(name, onSignal))),
    () => Effect.sync(() => heard.forEach((name) => process.off(name, onSignal)))
  )
  return { first: Deferred.await(first), second: Deferred.await(second) } satisfies Signals
})
