import { layer } from "@effect/vitest"
import type { Layer } from "effect"
import type { EventStore } from "../../../src/log/EventStore.ts"
import { appending } from "./appending.ts"
import { data } from "./data.ts"
import { reading } from "./reading.ts"

/** What every event store keeps, whatever it is made of. */
export const conformance = (name: string, storeLayer: Layer.Layer<EventStore>) =>
  layer(storeLayer, { excludeTestServices: true })(name, (it) => {
    appending(it)
    data(it)
    reading(it)
  })
