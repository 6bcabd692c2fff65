import type { LogEvent } from "@troupe/client"
import { type Kept, letGo, nothingKept, type Sizes, sizes, withRetried } from "./chapters.logic.ts"
import { placeOn } from "./place.logic.ts"

/** A session as its log tells it, up to a place. What is far from there is let go of. */
export interface Told extends Kept {
  /** How many events of the log were taken. */
  readonly seen: number
}

export const untold: Told = { ...nothingKept, seen: 0 }

/** Takes events in the order of the log: what is known is passed by, and nothing is taken behind a gap. */
export const tell = (
  told: Told,
  events: ReadonlyArray<LogEvent>,
  keep: Sizes = sizes
): { readonly told: Told; readonly gap: boolean } => {
  let { seen, timeline } = told
  let gap = false
  for (const event of events) {
    if (event.seq <= seen) continue
    gap = event.seq !== seen + 1
    if (gap) break
    timeline = placeOn(withRetried(timeline, event), event)
    seen = event.seq
  }
  return { told: seen === told.seen ? told : { ...letGo({ ...told, timeline }, keep), seen }, gap }
}
