import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { tellDone } from "../app/output.ts"
import { config } from "../connection/Connection.ts"
import { holderOf } from "../up/Home.ts"
import { gone } from "../up/Part.ts"
import { signal } from "../up/processes.ts"
import { stopLeft } from "../up/leftovers.ts"
import { say } from "../up/Talk.ts"
import type { UpConfig } from "../up/UpConfig.ts"

const stopIt = Effect.fnUntraced(function* (given: UpConfig, isNow: boolean) {
  const holder = holderOf(given.home)
  if (holder === null) {
    const stopped = yield* stopLeft(given)
    return yield* tellDone({ stopped }, stopped ? "Stopped what was left." : `Nothing runs in ${given.home}.`)
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
  yield* tellDone({ stopped: true }, "Stopped.")
})

export const stop = Command.make(
  "stop",
  {
    now: Flag.Boolean("now").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Ends it at once; the next start recovers")
    )
  },
  Effect.fnUntraced(function* ({ now }) {
    yield* stopIt(yield* config, now)
  })
).pipe(
  Command.withShortDescription("Stops what runs here"),
  Command.withDescription(
    "Stops what runs in TROUPE_HOME: the node finishes what it began, the runner its attempts, then the database ends."
  )
)
