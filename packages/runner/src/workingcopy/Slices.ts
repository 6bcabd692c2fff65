import type { FileError } from "@troupe/domain/runner/Files"
import { Effect } from "effect"
import { asFileError } from "./failures.ts"

/** Long work on files. It gives others their turn wherever it yields, and may ask for something by what it yields. */
export type Steps<A, Request = never> = Generator<Request | void, A, unknown>

/** How long the process may be held before others have their turn. */
const sliceMs = 8
const stepsPerLook = 16

/** How requests of the steps are served, and what their failures become. */
export interface Service<Request, E, F> {
  /** What it answers is what the yield gives. */
  readonly serve: (request: Request) => Effect.Effect<unknown, E>
  readonly failure: (cause: unknown) => F
}

/**
 * Runs the steps a slice at a time. File operations are synchronous here: a descriptor is never left open between two
 * thoughts, an interruption comes only where the steps yield, and each call is cheaper than its way to a thread and back.
 */
export const inSlices = <A>(path: string, start: () => Steps<A>): Effect.Effect<A, FileError> =>
  inSlicesServing(start, { serve: (request: never) => request, failure: (cause) => asFileError(path, cause) })

export const inSlicesServing = <A, Request, E, F>(
  start: () => Steps<A, Request>,
  { failure, serve }: Service<Request, E, F>
): Effect.Effect<A, E | F> =>
  Effect.acquireUseRelease(
    Effect.sync(start),
    Effect.fnUntraced(function* (steps) {
      let answer: unknown
      while (true) {
        const result = yield* Effect.try({ try: () => slice(steps, answer), catch: failure })
        if (result.done === true) return result.value
        answer = undefined
        if (result.value === undefined) yield* Effect.yieldNow
        else answer = yield* serve(result.value as Request)
      }
    }),
    (steps) => Effect.sync(() => steps.return(undefined as never))
  )

export const attempt = <A>(path: string, work: () => A): Effect.Effect<A, FileError> =>
  Effect.try({ try: work, catch: (cause) => asFileError(path, cause) })

const slice = <A, Request>(steps: Steps<A, Request>, answer: unknown): IteratorResult<Request | void, A> => {
  const until = performance.now() + sliceMs
  let result = steps.next(answer)
  for (let step = 1; result.done !== true && result.value === undefined; step++) {
    if (step % stepsPerLook === 0 && performance.now() > until) break
    result = steps.next()
  }
  return result
}
