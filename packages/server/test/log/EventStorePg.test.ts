import { Layer } from "effect"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { conformance } from "./conformance/suite.ts"

conformance(
  "EventStorePg",
  EventStorePg.layer.pipe(Layer.provide(TestDatabase.layerApp()), Layer.provide(TestDatabase.layer()), Layer.orDie)
)
