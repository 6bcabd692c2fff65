import type { Suite } from "../harness/Suite.ts"
import { activation } from "./core/activation.ts"
import { append } from "./core/append.ts"
import { replay } from "./core/replay.ts"
import { resident } from "./core/resident.ts"
import { single } from "./core/single.ts"
import { starting } from "./core/starting.ts"
import { storage } from "./core/storage.ts"

/** The event store and the sessions on it, without HTTP and without runners. */
export const suite: Suite = {
  hasPeers: true,
  benches: [append, single, activation, resident, replay, starting, storage]
}
