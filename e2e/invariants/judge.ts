import { commands, messages } from "./commands.ts"
import type { Evidence, Violation } from "./Evidence.ts"
import { chains, order, states } from "./logs.ts"
import { deltas, feeds, transcripts } from "./readers.ts"
import { attempts, effects, gate } from "./runners.ts"
import { tables } from "./tables.ts"
import { frames, tools } from "./tools.ts"

/** All broken promises in what a run left behind. It knows nothing of how the system works, only of what it promises. */
export const judge = (evidence: Evidence): ReadonlyArray<Violation> => [
  ...order(evidence),
  ...chains(evidence),
  ...states(evidence),
  ...tables(evidence),
  ...commands(evidence),
  ...messages(evidence),
  ...effects(evidence),
  ...gate(evidence),
  ...attempts(evidence),
  ...tools(evidence),
  ...frames(evidence),
  ...transcripts(evidence),
  ...deltas(evidence),
  ...feeds(evidence)
]
