import type { LogEvent } from "@troupe/client"
import { apply, type Timeline } from "@troupe/domain/session/Timeline"

const microsOf = (time: string): number => Date.parse(time) * 1_000 + Number(time.slice(23, 26).padEnd(3, "0"))

/** What one more event of the log changes in what is shown. */
export const placeOn = (timeline: Timeline, event: LogEvent): Timeline => {
  // What was redacted is not there to be shown; what asked for it is an event of its own.
  if (event.payload === null) return timeline
  const logged = { ...event.payload, _tag: event.type } as never
  return apply(timeline, { seq: event.seq, recordedAt: microsOf(event.recorded_at), event: logged })
}
