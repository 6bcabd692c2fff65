import type { Abilities } from "@troupe/domain/runner/Hello"
import { Context, type Effect } from "effect"

/** What this runner can do, found out by trying. Probed again for each greeting. */
export class Capabilities extends Context.Service<Capabilities, { readonly probe: Effect.Effect<Abilities> }>()(
  "runner/Capabilities"
) {}
