import type { Bench, Suite } from "../harness/Suite.ts"
import { acknowledgement, delivery } from "./gateway/commands.ts"
import { lists } from "./gateway/lists.ts"
import { fanOut } from "./gateway/fanOut.ts"
import { resume } from "./gateway/resume.ts"
import { turn } from "./gateway/turn.ts"

/** In shorter rounds than others: all of it is to be over in six minutes. */
const roundMsMax = 3_000

const inShortRounds = ({ run, ...bench }: Bench): Bench => ({
  ...bench,
  run: (context) => {
    const { roundMs, rounds, warmUpMs } = context.plan
    const plan = { rounds, roundMs: Math.min(roundMs, roundMsMax), warmUpMs: Math.min(warmUpMs, roundMsMax) }
    return run({ ...context, plan })
  }
})

/** What clients see of a node over HTTP. */
export const suite: Suite = {
  hasPeers: true,
  benches: [turn, acknowledgement, delivery, fanOut, resume, lists].map(inShortRounds)
}
