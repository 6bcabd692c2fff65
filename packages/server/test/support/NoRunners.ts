import { RunnerAway } from "@troupe/domain/runner/Attempt"
import { Effect, Layer, Stream } from "effect"
import { AttemptDriver } from "../../src/session/AttemptDriver.ts"

/** Where there are no runners: turns wait, and say what for. */
export const layer = Layer.succeed(
  AttemptDriver,
  AttemptDriver.of({
    place: () => Effect.succeed({ _tag: "Waiting", reason: "no runner is connected" }),
    run: ({ runnerId }) => Stream.fail(new RunnerAway({ runnerId })),
    attach: ({ runnerId }) => Stream.fail(new RunnerAway({ runnerId })),
    acknowledge: () => Effect.void,
    deliver: ({ runnerId }) => Effect.fail(new RunnerAway({ runnerId })),
    revoke: () => Effect.void,
    takeAway: () => Effect.void
  })
)
