import type { Timeline, TimelineItem } from "@troupe/domain/session/Timeline"
import type { Session } from "@troupe/client"
import { currentTurn, firstAsk, primaryOf } from "./rows.logic.ts"

interface Standing {
  readonly light: "running" | "waiting" | "idle" | "bad"
  readonly tone: "" | "accent" | "warn" | "bad"
  readonly text: string
}

/** What a person wants to know first: whether it works, waits for somebody, rests or is over. */
export const standing = (timeline: Timeline): Standing => {
  const thread = primaryOf(timeline)
  const ask = firstAsk(thread)
  if (timeline.endedAt !== null) return { light: "idle", tone: "", text: "Archived" }
  if (timeline.paused) return { light: "waiting", tone: "warn", text: "Paused" }
  if (ask !== null) {
    return { light: "waiting", tone: "warn", text: ask.awaits === "answer" ? "Asks you" : "Waits for approval" }
  }
  const turn = currentTurn(thread)
  if (turn?.state === "deciding") return { light: "waiting", tone: "warn", text: "Waits for a decision" }
  if (turn?.reason === "budget") return { light: "waiting", tone: "warn", text: "Limit reached" }
  if (turn !== null) return { light: "running", tone: "accent", text: "Running" }
  if (thread?.turns.at(-1)?.state === "failed") return { light: "bad", tone: "bad", text: "Last turn failed" }
  return { light: "idle", tone: "", text: "Idle" }
}

type Request = Extract<TimelineItem, { readonly kind: "request" }>

/** Looked for from the end, since this is asked for with everything that happens. */
const lastRequest = (timeline: Timeline, fits: (request: Request) => boolean = () => true): Request | null => {
  const turns = primaryOf(timeline)?.turns ?? []
  for (let index = turns.length - 1; index >= 0; index--) {
    const found = turns[index]!.items.findLast((item) => item.kind === "request" && fits(item))
    if (found !== undefined) return found as Request
  }
  return null
}

/** The numbers above a session, from the log as far as it says them. */
export const meters = (timeline: Timeline, session: Session | null) => {
  const { totals } = timeline
  const usage = lastRequest(timeline, ({ usage: one }) => one !== null)?.usage ?? null
  const microUsd = totals === null ? 0 : totals.unpricedRequests > 0 ? null : totals.costMicroUsd
  return {
    status: standing(timeline),
    totals,
    model: lastRequest(timeline)?.model ?? session?.agent.model.id ?? null,
    tokens: totals === null ? 0 : totals.inputTokens + totals.outputTokens + totals.cacheReadTokens,
    contextTokens: usage === null ? null : usage.inputTokens + usage.cacheReadTokens,
    microUsd
  }
}
