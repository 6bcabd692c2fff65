import { Context } from "effect"
import type { EventStore } from "../log/EventStore.ts"

/**
 * What stands between an actor and the log. Nothing does, so that what an actor waits for before anything leaves it is the
 * commit; tests alone put something there, to see that the judge of the promises notices.
 */
export const OutputGate = Context.Reference<{
  readonly before: (store: EventStore["Service"]) => EventStore["Service"]
}>("server/OutputGate", { defaultValue: () => ({ before: (store) => store }) })
