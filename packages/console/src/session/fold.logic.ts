import type { LogEvent } from "@troupe/domain/api/Events"
import { apply, initial, type Timeline } from "@troupe/domain/session/Timeline"

/** A session as its log tells it, up to a place. */
export interface Told {
  readonly log: ReadonlyArray<LogEvent>
  readonly timeline: Timeline
}

export const untold: Told = { log: [], timeline: initial }

const microsOf = (time: string): number => Date.parse(time) * 1_000 + Number(time.slice(23, 26).padEnd(3, "0"))

/** What one more event of the log changes in what is shown. */
export const placeOn = (timeline: Timeline, event: LogEvent): Timeline => {
  // What was redacted is not there to be shown; what asked for it is an event of its own.
  if (event.payload === null) return timeline
  const logged = { ...event.payload, _tag: event.type } as never
  return apply(timeline, { seq: event.seq, recordedAt: microsOf(event.recorded_at), event: logged })
}

/** Takes events in the order of the log: what is known is passed by, and nothing is taken behind a gap. */
export const tell = (told: Told, events: ReadonlyArray<LogEvent>): { readonly told: Told; readonly gap: boolean } => {
  let { timeline } = told
  const fresh: Array<LogEvent> = []
  let last = told.log.length
  for (const event of events) {
    if (event.seq <= last) continue
    if (event.seq !== last + 1) return { told: { log: [...told.log, ...fresh], timeline }, gap: true }
    timeline = placeOn(timeline, event)
    fresh.push(event)
    last = event.seq
  }
  return { told: fresh.length === 0 ? told : { log: told.log.concat(fresh), timeline }, gap: false }
}

/** Messages that are still being written, by the id of their block. */
export type Writing = ReadonlyMap<string, string>

export const writeOn = (writing: Writing, blockId: string, text: string): Writing =>
  new Map(writing).set(blockId, (writing.get(blockId) ?? "") + text)

/** What is in the log is not being written any more. */
export const written = (writing: Writing, events: ReadonlyArray<LogEvent>): Writing => {
  if (writing.size === 0) return writing
  const over = events.some(({ type }) =>
    ["AttemptLost", "TurnInterrupted", "TurnFailed", "TurnCompleted"].includes(type)
  )
  if (over) return new Map()
  const done = events.flatMap(({ payload, type }) => (type === "MessageBlock" ? [String(payload?.["blockId"])] : []))
  if (!done.some((id) => writing.has(id))) return writing
  const rest = new Map(writing)
  for (const id of done) rest.delete(id)
  return rest
}
