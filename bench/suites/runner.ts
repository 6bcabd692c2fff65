import type { Suite } from "../harness/Suite.ts"
import { captureBench } from "./runner/capture.ts"
import { frameRate } from "./runner/frames.ts"
import { sandboxStart } from "./runner/starting.ts"
import { attachTime, idleMemory } from "./runner/system.ts"
import { toolCalls } from "./runner/toolCalls.ts"

/** What runners do for a turn. */
export const suite: Suite = { benches: [toolCalls, frameRate, attachTime, idleMemory, sandboxStart, captureBench] }
