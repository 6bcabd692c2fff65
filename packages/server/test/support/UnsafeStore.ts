import type { CommandId } from "@troupe/domain/Ids"
import type { CommandMark } from "@troupe/domain/log/Envelope"
import { Effect, Option, type Scope, Semaphore } from "effect"
import { EventStore } from "../../src/log/EventStore.ts"

/** Takes any epoch for the newest. */
export const withoutFencing = (store: EventStore["Service"]) =>
  EventStore.of({
    ...store,
    append: (append) =>
      Effect.flatMap(store.head(append.streamId), (head) =>
        store.append({ ...append, epoch: Option.isSome(head) ? head.value.epoch : append.epoch })
      )
  })

/** Knows no command again. `original` says whose mark an event carries. */
export const withoutDuplicates = (store: EventStore["Service"]) => {
  const originals = new Map<string, CommandId>()
  const disguise = <A extends CommandMark>(mark: A): A => {
    const commandId = `cmd_${originals.size}` as CommandId
    originals.set(commandId, mark.commandId)
    return { ...mark, commandId }
  }
  const unsafe = EventStore.of({
    ...store,
    receipts: () => Effect.succeed([]),
    append: (append) =>
      store.append({
        ...append,
        events: append.events.map((event) => ({ ...event, mark: event.mark === null ? null : disguise(event.mark) })),
        rejections: append.rejections.map(disguise)
      })
  })
  return Object.assign(unsafe, { original: (commandId: string) => originals.get(commandId) ?? commandId })
}

/** Says that it is done before it is: what an actor does whose output does not wait for the log. */
export const withoutOutputGate = (store: EventStore["Service"], scope: Scope.Scope, delayMs: () => number) => {
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
