import type { Suite } from "../harness/Suite.ts"
import { acknowledgement, delivery } from "./gateway/commands.ts"
import { lists } from "./gateway/lists.ts"
import { fanOut, resume } from "./gateway/readers.ts"
import { turn } from "./gateway/turn.ts"

/** What clients see of a node over HTTP. */
export const suite: Suite = { benches: [turn, acknowledgement, delivery, fanOut, resume, lists] }
