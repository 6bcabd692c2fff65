import type { Suite } from "../harness/Suite.ts"
import { captureBench } from "./runner/capture.ts"

/** What a runner does for a turn. */
export const suite: Suite = { benches: [captureBench] }
