import type { Suite } from "../harness/Suite.ts"
import { durable } from "./turn/durable.ts"
import { harness } from "./turn/harness.ts"

/** A turn: what the harness costs, what streams, and what is durable of it. */
export const suite: Suite = {
  hasPeers: true,
  benches: [harness.overhead, harness.deltas, harness.crowd, durable]
}
