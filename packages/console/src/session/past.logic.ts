import type { LogEvent, Turn } from "@troupe/client"
import { initial } from "@troupe/domain/session/Timeline"
import type { Chapter } from "./chapters.logic.ts"
import type { Told } from "./fold.logic.ts"
import { placeOn } from "./place.logic.ts"
import { primaryOf } from "./rows.logic.ts"

/** A session is read from a turn on behind which there are so many events, at least. */
const tailEvents = 1_500
/** What is shorter than this is read whole. */
const worthLeavingOut = 1_000
const chapterEvents = 400
/** About so many lines are made of an event. Where a part of the past is fetched, its lines take the place of the guess. */
const rowsPerEvent = 0.3

/** Where turns of the session's own thread began, the first one first. Nothing before such a place matters behind it. */
export const beginningsOf = (turns: ReadonlyArray<Turn>, threadId: string): ReadonlyArray<number> =>
  turns
    .flatMap(({ started_seq: seq, thread_id }) => (thread_id === threadId && seq !== null ? [seq] : []))
    .sort((a, b) => a - b)

const chapter = (from: number, to: number): Chapter => ({
  from,
  to,
  rows: Math.max(1, Math.round((to - from + 1) * rowsPerEvent)),
  turn: null
})

/**
 * The past before a place, in parts that end where a turn begins. What is before the turns that are known is one part that is not
 * divided yet, if there are more of them.
 */
export const chaptersBefore = (
  beginnings: ReadonlyArray<number>,
  end: number,
  hasMore: boolean
): ReadonlyArray<Chapter> => {
  const first = beginnings[0] ?? end
  const chapters: Array<Chapter> = hasMore && first > 1 ? [{ ...chapter(1, first - 1), isUndivided: true }] : []
  let from = hasMore ? first : 1
  for (const seq of [...beginnings.filter((one) => one < end), end]) {
    if (seq - from < chapterEvents && seq !== end) continue
    if (seq > from) chapters.push(chapter(from, seq - 1))
    from = seq
  }
  return chapters
}

/** From where a session is read that has these turns, the newest of them last; 1, where it is short. */
export const tailFrom = (turns: ReadonlyArray<Turn>, beginnings: ReadonlyArray<number>): number => {
  const known = Math.max(0, ...turns.map(({ ended_seq, started_seq }) => ended_seq ?? started_seq ?? 0))
  const from = beginnings.findLast((seq) => seq <= known - tailEvents) ?? beginnings[0] ?? 1
  return from - 1 < worthLeavingOut ? 1 : from
}

/** A session as it is known before its tail is read: how it was opened, and where its past is. */
export const toldBefore = (opened: LogEvent, from: number, chapters: ReadonlyArray<Chapter>): Told => ({
  timeline: placeOn(initial, opened),
  chapters,
  from,
  turn: null,
  seen: from - 1
})

/** Whether all that waits, as the server says, is known from the tail: what was queued before it is not in it. */
export const knowsWhatWaits = (told: Told, waiting: ReadonlyArray<Turn>): boolean => {
  const thread = primaryOf(told.timeline)
  if (thread === null) return false
  const known = new Set<string>([
    ...[...thread.queue, ...thread.steers, ...thread.inbox].map(({ inputId }) => inputId),
    ...thread.turns.flatMap(({ items }) => items.flatMap((item) => (item.kind === "message" ? [item.inputId] : [])))
  ])
  return waiting.every(({ event_id, thread_id }) => {
    return thread_id !== thread.threadId || event_id === null || known.has(event_id)
  })
}
