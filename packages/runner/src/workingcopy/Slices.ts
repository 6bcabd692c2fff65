import type { FileError } from "@troupe/domain/runner/Files"
import { Effect } from "effect"
import { asFileError } from "./failures.ts"

/** Long work on files, which gives others their turn wherever it yields. */
export type Steps<A> = Generator<void, A, void>

/** How long the process may be held before others have their turn. */
const sliceMs = 8
const stepsPerLook = 16

/**
 * Runs the steps a slice at a time. File operations are synchronous here: a descriptor is never left open between two
 * thoughts, an interruption comes only where the steps yield, and each call is cheaper than its way to a thread and back.
 */
export const inSlices = <A>(path: string, start: () => Steps<A>): Effect.Effect<A, FileError> =>
  Effect.acquireUseRelease(
    Effect.sync(start),
    Effect.fnUntraced(function* (steps) {
      while (true) {
        const result = yield* attempt(path, () => slice(steps))
        if (result.done === true) return result.value
        yield* Effect.yieldNow
      }
    }),
    (steps) => Effect.sync(() => steps.return(undefined as never))
  )

export const attempt = <A>(path: string, work: () => A): Effect.Effect<A, FileError> =>
  Effect.try({ try: work, catch: (cause) => asFileError(path, cause) })

const slice = <A>(steps: Steps<A>): IteratorResult<void, A> => {
  const until = performance.now() + sliceMs
  while (true) {
    for (let step = 0; step < stepsPerLook; step++) {
      const result = steps.next()
      if (result.done === true) return result
    }
    if (performance.now() > until) return { done: false, value: undefined }
  }
}
