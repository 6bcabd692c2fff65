import type { LogEvent } from "@troupe/client"
import {
  initial,
  type Timeline,
  type TimelineItem,
  type TimelineThread,
  type TimelineTurn
} from "@troupe/domain/session/Timeline"
import { searchMicroUsd } from "@troupe/domain/session/Usage"
import { placeOn } from "./place.logic.ts"
import { primaryOf, type Row, rowsOfTurns } from "./rows.logic.ts"

/** A part of the past that is not kept: what it takes to fetch it and to fold it as it was. */
export interface Chapter {
  /** The places of its events in the log. */
  readonly from: number
  readonly to: number
  readonly rows: number
  /** The turn that it begins in, as that was then; null before the first. */
  readonly turn: TimelineTurn | null
  /** Where its turns begin is not known yet: it is divided before it is read. */
  readonly isUndivided?: boolean
}

/** What is kept of a session's timeline: its end, and where the rest of it is. */
export interface Kept {
  readonly timeline: Timeline
  readonly chapters: ReadonlyArray<Chapter>
  /** Where what is kept begins, and in which turn. */
  readonly from: number
  readonly turn: TimelineTurn | null
}

export const nothingKept: Kept = { timeline: initial, chapters: [], from: 1, turn: null }

type Request = Extract<TimelineItem, { readonly kind: "request" }>
type Usage = NonNullable<Request["usage"]>

const sum = (a: Usage, b: Usage): Usage => ({
  ...b,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  webSearches: a.webSearches + b.webSearches,
  costMicroUsd: a.costMicroUsd === null || b.costMicroUsd === null ? null : a.costMicroUsd + b.costMicroUsd
})

const withSearches = (usage: Usage, searches: number): Usage => ({
  ...usage,
  webSearches: usage.webSearches + searches,
  costMicroUsd: usage.costMicroUsd === null ? null : usage.costMicroUsd + searches * searchMicroUsd
})

/** Requests as one that took what all of them and the calls took: what a turn says at its end stays true. */
const together = (items: ReadonlyArray<TimelineItem>): ReadonlyArray<TimelineItem> => {
  const used = items.flatMap((item) => (item.kind === "request" && item.usage !== null ? [item] : []))
  const [first, ...more] = used
  if (first === undefined) return []
  const all = more.reduce((one, next): Request => ({ ...next, usage: sum(one.usage!, next.usage!) }), first)
  const searches = items.reduce((count, item) => (item.kind === "call" ? count + item.webSearches : count), 0)
  return [{ ...all, usage: withSearches(all.usage!, searches) }]
}

/** At these, everything that came before in the thread is settled: no call is open, no request unanswered. */
const begins = (item: TimelineItem, at: number): boolean =>
  at === 0 || (item.kind === "request" && item.subagentId === null)

const sizeOf = ({ turns }: TimelineThread) => turns.reduce((size, { items }) => size + items.length, 0)

interface Cut {
  readonly turn: number
  readonly item: number
}

/** The first place behind so many items at which the past can end. */
const cutBehind = ({ turns }: TimelineThread, items: number): Cut | null => {
  let passed = 0
  for (const [turn, { items: all }] of turns.entries()) {
    for (const [item, one] of all.entries()) {
      if (passed >= items && begins(one, item)) return { turn, item }
      passed++
    }
  }
  return null
}

const split = (thread: TimelineThread, { item, turn }: Cut) => {
  const { turns } = thread
  const broken = turns[turn]!
  const past = broken.items.slice(0, item)
  const at = broken.items[item]!
  const startedAt = at.kind === "call" ? at.requestedAt : at.at
  const before = { ...broken, endedAt: null, state: "working", reason: null, items: together(past) } as const
  return {
    seq: at.seq,
    past: [...turns.slice(0, turn), { ...broken, endedAt: null, items: past }],
    rest: [{ ...broken, items: [...together(past), ...broken.items.slice(item)] }, ...turns.slice(turn + 1)],
    /** The turn as it was there. */
    turn: { ...before, attempts: broken.attempts.filter((attempt) => attempt.startedAt <= startedAt) }
  }
}

const withTurns = (timeline: Timeline, primary: TimelineThread, turns: ReadonlyArray<TimelineTurn>): Timeline => ({
  ...timeline,
  notes: [],
  // Of other threads nothing is shown here but that there are any.
  threads: timeline.threads.map((thread) => (thread === primary ? { ...thread, turns } : { ...thread, turns: [] }))
})

/** A turn that was let go of can be tried again: what comes of that is shown where it happens. */
export const withRetried = (timeline: Timeline, event: LogEvent): Timeline => {
  const primary = primaryOf(timeline)
  if (event.type !== "TurnRetried" || event.payload === null || primary === null) return timeline
  const { threadId, turnId } = event.payload
  if (threadId !== primary.threadId || primary.turns.some((turn) => turn.turnId === turnId)) return timeline
  const startedAt = Date.parse(event.recorded_at)
  const turn = { turnId, startedAt, endedAt: null, state: "placing", reason: null, attempts: [], items: [] } as const
  const turns = [...primary.turns, turn]
  return { ...timeline, threads: timeline.threads.map((one) => (one === primary ? { ...one, turns } : one)) }
}

export interface Sizes {
  /** Items of a chapter, at least. */
  readonly chapter: number
  /** Items that are kept, at least. */
  readonly kept: number
}

export const sizes: Sizes = { chapter: 200, kept: 600 }
export const sizesWhileReading: Sizes = { chapter: 200, kept: 5_000 }

/** Lets go of what is far from the end. What is left out is fetched again by whoever scrolls there. */
export const letGo = (kept: Kept, { chapter, kept: keep }: Sizes = sizes): Kept => {
  let now = kept
  while (true) {
    const thread = primaryOf(now.timeline)
    if (thread === null || sizeOf(thread) < keep + chapter) return now
    const cut = cutBehind(thread, chapter)
    if (cut === null) return now
    const { past, rest, seq, turn } = split(thread, cut)
    now = {
      timeline: withTurns(now.timeline, thread, rest),
      chapters: [...now.chapters, { from: now.from, to: seq - 1, rows: rowsOfTurns(past).length, turn: now.turn }],
      from: seq,
      turn
    }
  }
}

/** The rows of a chapter, from its events. */
export const rowsOfChapter = (
  { turn }: Chapter,
  live: Timeline,
  events: ReadonlyArray<LogEvent>
): ReadonlyArray<Row> => {
  const primary = primaryOf(live)
  if (primary === null) return []
  const empty = { ...primary, queue: [], steers: [], inbox: [], turns: turn === null ? [] : [turn] }
  const before: Timeline = { ...initial, threads: [empty] }
  const thread = primaryOf(events.reduce((now, event) => placeOn(withRetried(now, event), event), before))
  return thread === null ? [] : rowsOfTurns(thread.turns)
}
