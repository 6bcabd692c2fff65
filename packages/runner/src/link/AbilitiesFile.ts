import { Abilities } from "@troupe/domain/runner/Hello"
import { Effect, Layer, Schema } from "effect"
import { join } from "node:path"
import { writeWhole } from "../journal/files.ts"
import { Capabilities } from "./Capabilities.ts"

const encode = Schema.encodeSync(Schema.fromJsonString(Abilities))

/** Keeps what the runner last said it can do beside its state, where people and tools of this host find it. */
export const layer = (state: string) =>
  Layer.effect(
    Capabilities,
    Effect.map(Capabilities, ({ probe, ...others }) => {
      const write = (abilities: Abilities) =>
        Effect.try(() => writeWhole(join(state, "abilities.json"), encode(abilities))).pipe(
          Effect.catch((error) => Effect.logWarning("What this runner can do could not be written down", error))
        )
      return Capabilities.of({ ...others, probe: Effect.tap(probe, write) })
    })
  )
