import { Cause, Effect, Fiber, Option } from "effect"
import type { BackendProbe, SandboxBackend } from "./Sandbox.ts"
import { unusable } from "./unusable.ts"

/** A node that greets a runner waits ten seconds for its answer. */
const patienceMs = 6_000

const failed = (cause: Cause.Cause<never>): BackendProbe => {
  const found = Cause.squash(cause)
  return unusable(`trying it failed: ${found instanceof Error ? found.message : String(found)}`)
}

/**
 * The probe of a backend that may hang, as an engine that takes connections and answers none does: one at a time, and what was
 * found last where it takes too long. It goes on meanwhile, so that whoever asks next has its result.
 */
export const patientProbe = Effect.fnUntraced(function* (backend: SandboxBackend) {
  const scope = yield* Effect.scope
  let running: Fiber.Fiber<BackendProbe> | null = null
  let last: BackendProbe = {
    ...unusable(`trying it takes longer than ${patienceMs / 1_000} s, and goes on`),
    unfinished: true
  }

  const start = Effect.gen(function* () {
    const fiber = yield* Effect.forkIn(
      Effect.catchCause(backend.probe, (cause) => Effect.succeed(failed(cause))),
      scope
    )
    running = fiber
    fiber.addObserver((exit) => {
      running = null
      if (exit._tag === "Success") last = exit.value
    })
    return fiber
  })

  return Effect.suspend(() => (running === null ? start : Effect.succeed(running))).pipe(
    Effect.flatMap(Fiber.join),
    Effect.timeoutOption(patienceMs),
    Effect.map(Option.getOrElse(() => last))
  )
})
