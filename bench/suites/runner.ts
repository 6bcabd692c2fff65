import type { Suite } from "../harness/Suite.ts"
import { captureBench } from "./runner/capture.ts"
import { toolCalls } from "./runner/toolCalls.ts"

/** What runners do for a turn, without a node. */
export const suite: Suite = { benches: [toolCalls, captureBench] }
