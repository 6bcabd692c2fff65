import type { Timeline, TimelineItem, TimelineTurn } from "@troupe/domain/session/Timeline"
import { subjectOf } from "../session/content.logic.ts"
import { costOf, usedIn } from "../session/used.logic.ts"

/** A stretch of time in which something was done. What has not ended reaches to now. */
export interface Span {
  readonly key: string
  readonly kind: "turn" | "model" | "tool" | "wait"
  readonly name: string
  readonly detail: string
  readonly depth: number
  readonly from: number
  readonly to: number | null
  readonly isBad: boolean
  /** What it cost: null where that is not known, absent where nothing of it costs. */
  readonly costMicroUsd?: number | null
}

type Request = Extract<TimelineItem, { readonly kind: "request" }>

const costsOf = (items: ReadonlyArray<TimelineItem>): Pick<Span, "costMicroUsd"> => {
  const used = usedIn(items)
  return used.modelRequests === 0 && used.webSearches === 0 ? {} : { costMicroUsd: costOf(used) }
}

const requestSpan = (item: Request): Span => ({
  key: `request-${item.seq}`,
  kind: "model",
  name: item.model,
  detail: item.usage === null ? "" : `${item.usage.inputTokens} in, ${item.usage.outputTokens} out`,
  depth: item.subagentId === null ? 1 : 2,
  from: item.at,
  to: item.outcome === null ? null : item.at + (item.durationMs ?? 0),
  isBad: item.outcome !== null && item.outcome !== "succeeded",
  ...costsOf([item])
})

const callSpans = (call: Extract<TimelineItem, { readonly kind: "call" }>): ReadonlyArray<Span> => {
  const waited = call.awaits === "confirmation" || call.awaits === "answer" || call.decidedAt !== null
  const key = `call-${call.callId}`
  const detail = subjectOf(call.name, call.editedInput ?? call.input)
  const until = call.decidedAt ?? call.startedAt ?? call.endedAt
  const wait: Span = {
    key: `${key}-wait`,
    kind: "wait",
    name: call.awaits === "answer" ? "Question" : "Approval",
    detail: call.name,
    depth: 1,
    from: call.requestedAt,
    to: until,
    isBad: call.decision?.type === "deny"
  }
  const from = call.startedAt ?? (waited ? null : call.requestedAt)
  const work: Span | null =
    from === null
      ? null
      : {
          ...{ key, kind: "tool", name: call.name, detail, depth: 1, from, to: call.endedAt, isBad: call.isError },
          ...costsOf([call])
        }
  return [...(waited ? [wait] : []), ...(work === null ? [] : [work])]
}

const subagentSpan = ({
  at,
  durationMs,
  name,
  outcome,
  subagentId,
  task
}: Extract<TimelineItem, { readonly kind: "subagent" }>): Span => ({
  key: `subagent-${subagentId}`,
  kind: "tool",
  name: `Sub-agent ${name}`,
  detail: task,
  depth: 1,
  from: at,
  to: outcome === null ? null : at + (durationMs ?? 0),
  isBad: outcome === "failed"
})

/** What an item shows of itself as time; nothing where it took none. */
const itemSpans = (item: TimelineItem): ReadonlyArray<Span> => {
  switch (item.kind) {
    case "request":
      return [requestSpan(item)]
    case "call":
      return callSpans(item)
    case "subagent":
      return [subagentSpan(item)]
    default:
      return []
  }
}

const turnSpans = (turn: TimelineTurn, number: number): ReadonlyArray<Span> => [
  {
    key: turn.turnId,
    kind: "turn",
    name: `Turn ${number}`,
    detail: turn.attempts.length > 1 ? `${turn.attempts.length} attempts` : "",
    depth: 0,
    from: turn.startedAt,
    to: turn.endedAt,
    isBad: turn.state === "failed",
    ...costsOf(turn.items)
  },
  ...turn.items.flatMap(itemSpans)
]

/** All that took time, thread by thread. */
export const spansOf = ({ threads }: Timeline): ReadonlyArray<Span> =>
  threads.flatMap(({ turns }) => turns.flatMap((turn, index) => turnSpans(turn, index + 1)))

/**
 * Where a span is drawn, in parts of the whole width. Idle time between turns would press everything else together, so only the
 * time of turns counts.
 */
export const scaleOf = (spans: ReadonlyArray<Span>, now: number) => {
  const turns = spans.filter(({ kind }) => kind === "turn").toSorted((a, b) => a.from - b.from)
  const total = Math.max(
    1,
    turns.reduce((sum, { from, to }) => sum + (to ?? now) - from, 0)
  )
  const at = (time: number): number => {
    let before = 0
    for (const { from, to } of turns) {
      const end = to ?? now
      if (time <= from) break
      before += Math.min(time, end) - from
      if (time <= end) break
    }
    return before / total
  }
  return {
    total,
    at,
    place: ({ from, to }: Span) => ({ left: at(from), width: Math.max(0, at(to ?? now) - at(from)) })
  }
}

interface Placed {
  readonly left: number
  readonly width: number
}

/** Where there is room to say how long it took: behind its bar, before it, or on it where that fills the line. */
export const tookAt = ({ left, width }: Placed): "after" | "before" | "within" =>
  left + width <= 0.8 ? "after" : left >= 0.3 ? "before" : "within"
