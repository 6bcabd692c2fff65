import { Clock, Effect, Stream } from "effect"
import { ModelError, type ModelEvent, type ModelTrouble } from "./ModelClient.ts"
import { fromSdk } from "./sdkErrors.ts"

interface SdkStreamOptions<Chunk> {
  readonly provider: string
  readonly model: string
  /** Longest wait for the next piece. A provider that accepts and says nothing must not hold a turn for ever. */
  readonly silenceMs: number
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Chunk>>
  readonly read: (chunk: Chunk) => ReadonlyArray<ModelEvent>
  /** What is left to say once the vendor has no more; null, and without it always: the answer broke off. */
  readonly end?: () => ReadonlyArray<ModelEvent> | null
}

/**
 * A vendor's stream of an answer in our words. It fails where the answer stops before its end, and interrupting it closes
 * the connection.
 */
export const sdkStream = <Chunk>(options: SdkStreamOptions<Chunk>): Stream.Stream<ModelEvent, ModelError> => {
  const { model, open, provider, read, silenceMs } = options
  const broken = (detail: string, trouble: ModelTrouble) => new ModelError({ provider, model, trouble, detail })
  const silence = broken(`nothing came for ${silenceMs} ms`, { _tag: "TimedOut", afterMs: silenceMs })

  return Stream.unwrap(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const wrong = (cause: unknown): ModelError =>
        cause instanceof ModelError ? cause : fromSdk(provider, model, cause, clock.currentTimeMillisUnsafe())
      const controller = yield* Effect.acquireRelease(
        Effect.sync(() => new AbortController()),
        (one) => Effect.sync(() => one.abort())
      )
      const awaited = <A>(promise: () => Promise<A>) =>
        Effect.tryPromise({ try: promise, catch: wrong }).pipe(
          Effect.timeoutOrElse({ duration: silenceMs, orElse: () => Effect.fail(silence) })
        )
      const chunks = yield* awaited(() => open(controller.signal))
      const iterator = chunks[Symbol.asyncIterator]()
      let ended = false
      const next = Effect.gen(function* () {
        if (ended) return undefined
        const chunk = yield* awaited(() => iterator.next())
        if (chunk.done === true) {
          ended = true
          const left = options.end?.() ?? null
          if (left !== null) return [left, undefined] as const
          return yield* broken("the answer stopped before its end", { _tag: "Broken", status: null })
        }
        const events = yield* Effect.try({ try: () => read(chunk.value), catch: wrong })
        ended = events.some(({ _tag }) => _tag === "Ended")
        return [events, undefined] as const
      })
      return Stream.unfold(undefined, () => next).pipe(Stream.flattenIterable)
    })
  )
}
