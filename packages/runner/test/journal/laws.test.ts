import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema, Scope, Context } from "effect"
import { Journal } from "../../src/journal/Journal.ts"
import { type AttemptJournal, defaultSizes } from "../../src/journal/AttemptJournal.ts"
import { withoutSecrets } from "../../src/journal/JournaledRequest.ts"
import { append, numbers, range, readAll } from "../support/journals.ts"
import { runRequest, title } from "../support/requests.ts"
import { scratch } from "../support/scratch.ts"

const Upto = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
const Step = Schema.TaggedUnion({
  Emit: { count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })) },
  Acknowledge: { frame: Upto },
  Attach: { after: Upto },
  Crash: {}
})
const sizes = { ...defaultSizes, segmentBytes: 600, closingBytes: 4_096 }

describe("Whatever happens to a journal", () => {
  it.effect.prop(
    "frames stay contiguous, none that was promised is lost, and none comes again behind where its owner is",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const layer = Journal.layer(directory, sizes)
        let scope = yield* Scope.make()
        const start = Effect.suspend(() =>
          Effect.map(Effect.provideService(Layer.build(layer), Scope.Scope, scope), (all) => Context.get(all, Journal))
        )
        let attempt: AttemptJournal = yield* (yield* start).create(withoutSecrets(runRequest(1)))
        let promised = 0
        let acknowledged = 0
        for (const step of [...steps, { _tag: "Crash" } as const, { _tag: "Attach", after: 0 } as const]) {
          if (step._tag === "Emit") {
            const emitted = Effect.forEach(range(1, step.count), () => append(attempt, title("some words")), {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(yield* emitted, range(promised + 1, promised + step.count))
            promised += step.count
          } else if (step._tag === "Acknowledge") {
            attempt.acknowledge(step.frame)
            acknowledged = Math.max(acknowledged, Math.min(step.frame, promised))
          } else if (step._tag === "Crash") {
            yield* Scope.close(scope, Exit.void)
            scope = yield* Scope.make()
            attempt = (yield* start).found[0]!
          } else {
            const after = Math.max(step.after, acknowledged)
            assert.deepStrictEqual(numbers(yield* readAll(attempt, after)), range(after + 1, promised))
          }
          assert.strictEqual(attempt.acknowledged, acknowledged)
          assert.strictEqual(attempt.last, promised)
        }
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 60 }, timeout: 120_000 }
  )
})
