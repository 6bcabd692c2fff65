// Runs the suite as whoever starts it, and prints a line of JSON for each check. Arguments: the backend and its options.
import { Effect } from "effect"
import { join } from "node:path"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { makeBench } from "../../src/sandbox/conformance/Bench.ts"
import { isPromised } from "../../src/sandbox/conformance/Check.ts"
import { conformance } from "../../src/sandbox/conformance/suite.ts"
import { local } from "../../src/sandbox/Local.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

const backend = process.argv[2] === "local" ? local() : bubblewrap()

const program = Effect.gen(function* () {
  const probe = yield* backend.probe
  console.log(JSON.stringify({ probe }))
  const held = conformance.filter((one) => isPromised(one, backend, probe))
  yield* Effect.forEach(
    held,
    Effect.fnUntraced(function* (check) {
      const outcome = yield* Effect.result(
        Effect.scoped(
          Effect.gen(function* () {
            const directory = yield* temporaryState("troupe-sandbox-")
            yield* check.run(makeBench(backend, probe, join(directory, "state")))
          })
        )
      )
      const failure = outcome._tag === "Failure" ? outcome.failure.message : null
      console.log(JSON.stringify({ subject: check.subject, name: check.name, failure }))
    }),
    { concurrency: 3, discard: true }
  )
})

await Effect.runPromise(program)
