import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { ourName } from "../app/NameConfig.ts"
import { tellDone } from "../app/output.ts"
import { stepLine } from "../app/progress.ts"
import { whileTelling } from "../app/whileTelling.ts"
import { config } from "../connection/Connection.ts"
import { tellWork } from "../up/atWork.ts"
import { holderOf } from "../up/Home.ts"
import { stopLeft } from "../up/leftovers.ts"
import { gone } from "../up/Part.ts"
import { type ProcessName, signal } from "../up/processes.ts"
import { recordOf } from "../up/Program.ts"
import { say } from "../up/Talk.ts"
import type { UpConfig } from "../up/UpConfig.ts"

const steps = ["the runner ends what is at work", "the node hands over", "the database ends"] as const

const stepOf = (home: string): number => {
  if (recordOf(home, "runner") !== null) return 0
  return recordOf(home, "node") === null ? 2 : 1
}

/** Passes at Ctrl-C, once. */
const interrupted = Effect.callback<void>((resume) => {
  const onInterrupt = () => resume(Effect.void)
  process.once("SIGINT", onInterrupt)
  return Effect.sync(() => process.off("SIGINT", onInterrupt))
})

/** A supervisor that is told to stop twice ends all at once. */
const stopSupervised = Effect.fnUntraced(function* (supervisor: ProcessName, isNow: boolean) {
  signal(supervisor, "SIGTERM")
  const sooner = Effect.gen(function* () {
    // Two signals that come together may be heard as one.
    yield* isNow ? Effect.timeoutOption(gone(supervisor), 200) : interrupted
    signal(supervisor, "SIGINT")
    return yield* Effect.never
  })
  yield* Effect.raceFirst(gone(supervisor), sooner)
  return true
})

const stopUnsupervised = (given: UpConfig, isNow: boolean) => {
  const atOnce = stopLeft(given, true)
  return isNow ? atOnce : Effect.raceFirst(stopLeft(given, false), Effect.andThen(interrupted, atOnce))
}

export const stop = Command.make(
  "stop",
  {
    now: Flag.Boolean("now").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Ends it at once; the next start recovers")
    )
  },
  Effect.fnUntraced(function* ({ now }) {
    const given = yield* config
    const holder = holderOf(given.home)
    const url = holder?.url ?? recordOf(given.home, "node")?.url ?? null
    if (holder !== null) yield* say("Stopping …")
    if (url !== null && !now) {
      yield* tellWork(given, url, `Ctrl-C ends all at once, as ${ourName} stop --now does.`)
    }
    const stopping =
      holder === null
        ? stopUnsupervised(given, now)
        : stopSupervised({ pid: holder.pid, startTicks: holder.startTicks ?? null }, now)
    const stopped = yield* whileTelling((ms) => stepLine(steps, stepOf(given.home), ms), stopping)
    const left = stopped ? "Stopped what was left." : `Nothing runs in ${given.home}.`
    yield* tellDone({ stopped }, holder === null ? left : "Stopped.")
  })
).pipe(
  Command.withShortDescription("Stops what runs here"),
  Command.withDescription(
    "Stops what runs in TROUPE_HOME: the runner first, whose turns have TROUPE_RUNNER_STOP_GRACE_MS to end, then the node and " +
      "the database. Ctrl-C meanwhile ends all at once."
  )
)
