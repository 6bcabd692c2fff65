import type { Suite } from "../harness/Suite.ts"
import { toolCalls } from "./runner/toolCalls.ts"

/** What runners do, without a node. */
export const suite: Suite = { benches: [toolCalls] }
