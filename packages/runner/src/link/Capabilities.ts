import type { Abilities } from "@troupe/domain/runner/Hello"
import { Context, type Effect, type Redacted } from "effect"
import type { ModelProbe } from "../models/ModelClient.ts"

/** What this runner can do, found out by trying. Probed again for each greeting. */
export class Capabilities extends Context.Service<
  Capabilities,
  {
    readonly probe: Effect.Effect<Abilities>
    /** Tries to reach the model of a card. */
    readonly probeCard: (card: Redacted.Redacted) => Effect.Effect<ModelProbe>
  }
>()("runner/Capabilities") {}
