import type { Suite } from "../harness/Suite.ts"
import { durable } from "./turn/durable.ts"
import { harness } from "./turn/harness.ts"
import { stream } from "./turn/stream.ts"

/** A turn: what the harness costs, what streams, and what is durable of it. */
export const suite: Suite = {
  hasPeers: true,
  benches: [harness.overhead, harness.deltas, stream, harness.crowd, durable]
}
