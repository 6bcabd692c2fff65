import { assert, describe, it } from "@effect/vitest"
import { Effect, Semaphore } from "effect"
import { join } from "node:path"
import { makeBench, type SpecOverrides } from "../../src/sandbox/conformance/Bench.ts"
import { isPromised, type Subject } from "../../src/sandbox/conformance/Check.ts"
import { conformance } from "../../src/sandbox/conformance/suite.ts"
import type { SandboxBackend } from "../../src/sandbox/Sandbox.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

export interface Held {
  readonly backend: SandboxBackend
  /** What it has to promise on the machine of the test: a probe that promises less is a failure, and not fewer tests. */
  readonly promises: ReadonlyArray<Subject>
  /** Those of the promises that it is held to here: all, where nothing else is said. */
  readonly held?: ReadonlyArray<Subject>
  /** Of these, the checks of such names: all, where nothing else is said. */
  readonly only?: RegExp
  readonly spec?: SpecOverrides
  /** Checks mostly wait, and each has sandboxes of its own: three at a time, where nothing else is said. */
  readonly atOnce?: number
}

const timeout = 180_000

/** Holds a backend to every check that it promises. */
export const holdsTo = ({ atOnce = 3, backend, promises, held = promises, only = /^/, spec }: Held) => {
  const turns = Semaphore.makeUnsafe(atOnce)
  const probed = Effect.runSync(Effect.cached(backend.probe))
  it.live(
    "says that it is usable, and what it promises here",
    () =>
      Effect.gen(function* () {
        const probe = yield* probed
        assert.isTrue(probe.usable, probe.notes.join("; "))
        const promised = conformance.filter((check) => isPromised(check, backend, probe)).map(({ subject }) => subject)
        assert.deepStrictEqual([...new Set(promised)].toSorted(), [...promises].toSorted())
      }),
    timeout
  )

  describe.concurrent.each(held)("%s", (subject) => {
    for (const check of conformance.filter((one) => one.subject === subject && only.test(one.name))) {
      it.live(
        check.name,
        () =>
          Effect.gen(function* () {
            const directory = yield* temporaryState("troupe-sandbox-")
            yield* check.run(makeBench(backend, yield* probed, join(directory, "state"), spec))
          }).pipe(turns.withPermit),
        timeout
      )
    }
  })
}
