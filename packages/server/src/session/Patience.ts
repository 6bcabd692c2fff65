import { Clock, Effect, Exit, Option } from "effect"

/** None where the call did not end in time: it is interrupted then, and the end of that not waited for. */
export type Patience = <A, E>(
  call: Effect.Effect<A, E>,
  withinMs: number
) => Effect.Effect<Option.Option<Exit.Exit<A, E>>>

/** How often it is looked whose time is up. */
const lookMs = 500

/**
 * Waits for calls that nearly always end in time. A timeout of one's own takes each of them a timer and two fibers, which
 * is a good part of what a command to a session in this process costs: here they are looked at together, now and then.
 */
export const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const waits = new Set<{ readonly until: number; readonly end: () => void }>()

  const look = Effect.sync(() => {
    const now = clock.currentTimeMillisUnsafe()
    for (const { end, until } of waits) if (until <= now) end()
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(look, lookMs)))

  const patience: Patience = <A, E>(call: Effect.Effect<A, E>, withinMs: number) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDetach(restore(call), { startImmediately: true }), (fiber) =>
        restore(
          Effect.callback<Option.Option<Exit.Exit<A, E>>>((resume) => {
            const leave = () => {
              waits.delete(wait)
              fiber.interruptUnsafe()
            }
            const wait = {
              until: clock.currentTimeMillisUnsafe() + withinMs,
              end: () => {
                resume(Effect.succeedNone)
                leave()
              }
            }
            waits.add(wait)
            fiber.addObserver((exit) => {
              waits.delete(wait)
              resume(Effect.succeedSome(exit))
            })
            return Effect.sync(leave)
          })
        )
      )
    )
  return patience
})
