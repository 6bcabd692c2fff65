import { Effect, type Scope, Semaphore } from "effect"
import { EventStore } from "../../src/log/EventStore.ts"

/** Says that an append is done before it is: so does an actor whose output does not wait for the log. */
export const wrap = (store: EventStore["Service"], scope: Scope.Scope, delayMs: () => number) => {
  const turns = new Map<string, Semaphore.Semaphore>()
  return EventStore.of({
    ...store,
    append: (append) => {
      const turn = turns.get(append.streamId) ?? Semaphore.makeUnsafe(1)
      turns.set(append.streamId, turn)
      const late = Effect.andThen(Effect.sleep(delayMs()), Effect.ignore(store.append(append)))
      return Effect.asVoid(Effect.forkIn(turn.withPermits(1)(late), scope))
    }
  })
}
