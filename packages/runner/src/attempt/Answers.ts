import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import { Deferred, Effect } from "effect"

/** What people answered to questions that calls of an attempt ask while they run. An answer may come more than once. */
export class Answers {
  private readonly waiting = new Map<EventId, Deferred.Deferred<Json>>()

  /** Resolves with the answer. Whoever asks is to listen before the question is out. */
  listen<A, E>(callId: EventId, work: (answer: Effect.Effect<Json>) => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        const answered = Deferred.makeUnsafe<Json>()
        this.waiting.set(callId, answered)
        return answered
      }),
      (answered) => work(Deferred.await(answered)),
      () => Effect.sync(() => void this.waiting.delete(callId))
    )
  }

  give(callId: EventId, answer: Json): void {
    const answered = this.waiting.get(callId)
    if (answered !== undefined) Deferred.doneUnsafe(answered, Effect.succeed(answer))
  }
}
