import { Effect, Layer } from "effect"
import { AttemptToolsFactory } from "./attempt/AttemptTools.ts"
import { Harnesses } from "./harness/Harnesses.ts"
import { Capabilities } from "./link/Capabilities.ts"
import * as NoWorkplace from "./workplace/NoWorkplace.ts"

const noTools = Layer.succeed(
  AttemptToolsFactory,
  AttemptToolsFactory.of({ open: () => Effect.die(new Error("No harness of this runner uses tools")) })
)

const capabilities = Layer.effect(
  Capabilities,
  Effect.gen(function* () {
    const { all } = yield* Harnesses
    const probe = Effect.gen(function* () {
      const harnesses = yield* Effect.forEach(all, ({ name, probe }) =>
        Effect.map(probe, (found) => ({ name, ...found, details: {} }))
      )
      return { harnesses, sandboxes: [], defaultSandbox: null, models: [] }
    })
    return Capabilities.of({ probe })
  })
)

/** What this runner can do: its harnesses, their tools, and the places of sessions. */
export const layer = Layer.mergeAll(noTools, capabilities, NoWorkplace.layer).pipe(
  Layer.provideMerge(Harnesses.layer())
)
