import { Effect } from "effect"
import { config, told } from "../up/failures.ts"
import { holderOf } from "../up/Home.ts"
import { gone } from "../up/Part.ts"
import { signal } from "../up/processes.ts"
import { stopLeft } from "../up/leftovers.ts"
import { say } from "../up/Talk.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { parse } from "./arguments.ts"

const usage = `troupe stop [--now]

  Stops what runs in TROUPE_HOME: the node finishes what it began, the runner its attempts, then the database ends.

  --now   ends it at once; the next start recovers
`

const stopIt = Effect.fnUntraced(function* (given: UpConfig, isNow: boolean) {
  const holder = holderOf(given.home)
  if (holder === null) {
    const stopped = yield* stopLeft(given)
    yield* say(stopped ? "Stopped what was left." : `Nothing runs in ${given.home}.`)
    return 0
  }
  const supervisor = { pid: holder.pid, startTicks: holder.startTicks ?? null }
  signal(supervisor, "SIGTERM")
  if (isNow) {
    // Two signals of a kind that come together are one.
    yield* Effect.timeoutOption(gone(supervisor), 200)
    signal(supervisor, "SIGINT")
  }
  yield* say("Stopping …")
  yield* gone(supervisor)
  yield* say("Stopped.")
  return 0
})

export const stop = async (args: ReadonlyArray<string>): Promise<number> => {
  const values = parse(args, { now: { type: "boolean", default: false } }, usage)
  if (typeof values === "number") return values
  return await Effect.runPromise(told(Effect.flatMap(config, (given) => stopIt(given, values.now === true))))
}
