import type { Suite } from "../harness/Suite.ts"
import { restart } from "./takeover/restart.ts"
import { takeover } from "./takeover/takeover.ts"

/** How long sessions have no owner where nodes end or freeze, and what follows when the database crashes. */
export const suite: Suite = { benches: [takeover, restart] }
