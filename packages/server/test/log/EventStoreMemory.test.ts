import * as EventStoreMemory from "../../src/log/EventStoreMemory.ts"
import { conformance } from "./conformance/suite.ts"

conformance("EventStoreMemory", EventStoreMemory.layer)
