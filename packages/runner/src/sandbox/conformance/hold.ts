import { Cause, Effect, Exit } from "effect"
import { join } from "node:path"
import type { BackendProbe, SandboxBackend } from "../Sandbox.ts"
import { temporaryState } from "../trial.ts"
import { makeBench, type SpecOverrides } from "./Bench.ts"
import { type Check, isPromised, type Subject } from "./Check.ts"
import { conformance } from "./suite.ts"

/** What came of one check. */
export interface Verdict {
  readonly subject: Subject
  readonly name: string
  /** What should have been and what was found; null where the promise is kept. */
  readonly failure: string | null
}

export interface Held {
  readonly probe: BackendProbe
  readonly verdicts: ReadonlyArray<Verdict>
}

export interface HoldOptions {
  /** An image, where the backend needs one, and what else each of its sandboxes is given. */
  readonly spec?: SpecOverrides
  /** Checks mostly wait: three at a time, where nothing else is said. */
  readonly atOnce?: number
  /** Called for each check as it is done. */
  readonly tell?: (verdict: Verdict) => void
}

const messageOf = (cause: Cause.Cause<Error>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Holds a backend to all that it promises on this host, by what it declares and by what its probe says. */
export const hold = Effect.fn("conformance.hold")(function* (
  backend: SandboxBackend,
  { atOnce = 3, spec, tell }: HoldOptions = {}
): Effect.fn.Return<Held> {
  const probe = yield* backend.probe
  const tried = Effect.fnUntraced(function* ({ name, run, subject }: Check) {
    const checked = Effect.gen(function* () {
      const directory = yield* temporaryState("troupe-sandbox-")
      yield* run(makeBench(backend, probe, join(directory, "state"), spec))
    })
    const exit = yield* Effect.exit(Effect.scoped(checked))
    const verdict: Verdict = { subject, name, failure: Exit.isSuccess(exit) ? null : messageOf(exit.cause) }
    tell?.(verdict)
    return verdict
  })
  const promised = conformance.filter((check) => isPromised(check, backend, probe))
  return { probe, verdicts: yield* Effect.forEach(promised, tried, { concurrency: atOnce }) }
})
