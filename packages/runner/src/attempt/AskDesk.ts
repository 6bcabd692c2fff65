import type { Answer, Ask } from "@troupe/domain/runner/Asks"
import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { Signal } from "./Signal.ts"

/** What attempts ask of the node. A question stays until it is answered: every new link hears it again. */
export class AskDesk extends Context.Service<
  AskDesk,
  {
    readonly ask: (ask: Ask) => Effect.Effect<Answer>
    /** Every open question, and those that come. For one link; the newest one is heard. */
    readonly open: Stream.Stream<Ask>
    readonly answer: (askId: string, answer: Answer) => Effect.Effect<void>
  }
>()("runner/AskDesk") {
  static readonly layer = Layer.sync(AskDesk, () => {
    const waiting = new Map<string, { readonly ask: Ask; readonly answered: Deferred.Deferred<Answer> }>()
    const signal = new Signal()
    let reader = 0

    return AskDesk.of({
      ask: (ask) =>
        Effect.suspend(() => {
          const answered = Deferred.makeUnsafe<Answer>()
          waiting.set(ask.askId, { ask, answered })
          signal.touch()
          return Effect.ensuring(
            Deferred.await(answered),
            Effect.sync(() => waiting.delete(ask.askId))
          )
        }),
      open: Stream.suspend(() => {
        const mine = ++reader
        const told = new Set<string>()
        signal.touch()
        const next: Effect.Effect<readonly [Ask, void] | undefined> = Effect.suspend(() => {
          if (reader !== mine) return Effect.succeed(undefined)
          for (const askId of told) if (!waiting.has(askId)) told.delete(askId)
          for (const [askId, { ask }] of waiting) {
            if (told.has(askId)) continue
            told.add(askId)
            return Effect.succeed([ask, undefined] as const)
          }
          return Effect.andThen(signal.next, next)
        })
        return Stream.unfold(undefined as void, () => next)
      }),
      answer: (askId, answer) =>
        Effect.suspend(() => {
          const asked = waiting.get(askId)
          return asked === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(asked.answered, answer))
        })
    })
  })
}
