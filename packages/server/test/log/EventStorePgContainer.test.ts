import { Layer } from "effect"
import { requires } from "../../../../test/requires.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { layerPostgresContainer } from "../support/PostgresContainer.ts"
import { conformance } from "./conformance/suite.ts"

requires("docker")("on the oldest Postgres we support, in a container", () => {
  conformance("EventStorePg", EventStorePg.layer.pipe(Layer.provide(layerPostgresContainer), Layer.orDie))
})
