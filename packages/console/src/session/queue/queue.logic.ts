import type { TimelineQueued, TimelineThread } from "@troupe/domain/session/Timeline"

export interface Moves {
  /** Before which turn it goes by one step up; absent where it is the first. */
  readonly up?: string
  /** Before which turn it goes by one step down, null for the end; absent where it is the last. */
  readonly down?: string | null
}

type Queue = ReadonlyArray<Pick<TimelineQueued, "turnId">>

export const movesOf = (queue: Queue, turnId: string): Moves => {
  const at = queue.findIndex((one) => one.turnId === turnId)
  if (at < 0) return {}
  return {
    ...(at > 0 ? { up: queue[at - 1]!.turnId } : {}),
    ...(at < queue.length - 1 ? { down: queue[at + 2]?.turnId ?? null } : {})
  }
}

/** Before which turn one goes that is dropped on another: it takes its place. Undefined where that changes nothing. */
export const droppedBefore = (queue: Queue, turnId: string, onto: string): string | null | undefined => {
  const place = (wanted: string) => queue.findIndex((one) => one.turnId === wanted)
  const [from, to] = [place(turnId), place(onto)]
  if (from < 0 || to < 0 || from === to) return undefined
  return from < to ? (queue[to + 1]?.turnId ?? null) : onto
}

/** What became of a message that has not begun: it waits in line, joins what runs, or is not placed yet. */
export type Place = "queue" | "steer" | "inbox"

export const placeOf = (thread: TimelineThread, inputId: string): Place => {
  if (thread.queue.some((one) => one.inputId === inputId)) return "queue"
  return thread.steers.some((one) => one.inputId === inputId) ? "steer" : "inbox"
}
