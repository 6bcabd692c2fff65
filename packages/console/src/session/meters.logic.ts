import type { Timeline, TimelineItem } from "@troupe/domain/session/Timeline"
import type { ModelCard, Session } from "@troupe/client"
import { currentTurn, firstAsk, primaryOf } from "./rows.logic.ts"
import { costOf } from "./used.logic.ts"

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

/** Of the thread's own agent, not of those that work for it. Looked for from the end, since this is asked for with everything that happens. */
const lastRequest = (timeline: Timeline, fits: (request: Request) => boolean = () => true): Request | null => {
  const turns = primaryOf(timeline)?.turns ?? []
  for (let index = turns.length - 1; index >= 0; index--) {
    const found = turns[index]!.items.findLast(
      (item) => item.kind === "request" && item.subagentId === null && fits(item)
    )
    if (found !== undefined) return found as Request
  }
  return null
}

/** What of a model's context is taken: as tokens, and as a share of what it can read where that is known. */
export interface Context {
  readonly tokens: number
  readonly windowTokens: number | null
  readonly share: number | null
}

type Sized = Pick<ModelCard, "name" | "model" | "context_tokens">

/**
 * How much a model reads at most, as its card says. Requests name a model as its provider does, agents by the card; cards that call
 * different sizes by one name say nothing.
 */
export const windowOf = (cards: ReadonlyArray<Sized>, model: string, agentsModel: string | null): number | null => {
  const fitting = cards.filter((card) => card.model === model || card.name === model)
  const own = fitting.filter(({ name }) => name === agentsModel)
  const sizes = new Set((own.length > 0 ? own : fitting).map(({ context_tokens }) => context_tokens))
  return sizes.size === 1 ? [...sizes][0]! : null
}

const contextOf = (request: Request | null, session: Session | null, cards: ReadonlyArray<Sized>): Context | null => {
  if (request?.usage == null) return null
  const { cacheReadTokens, cacheWrite1hTokens, cacheWrite5mTokens, inputTokens } = request.usage
  const tokens = inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens
  const windowTokens = windowOf(cards, request.model, session?.agent.model.id ?? null)
  return { tokens, windowTokens, share: windowTokens === null ? null : Math.min(1, tokens / windowTokens) }
}

/** Where nothing isolates what the tools of a session run in, that is said. */
const unconfined = (session: Session | null): string | null => {
  const sandbox = session?.troupe.sandbox
  return sandbox?.isolation === "none" ? `Tools ran in ${sandbox.backend}: nothing keeps them from the host` : null
}

/** The numbers above a session, from the log as far as it says them. */
export const meters = (timeline: Timeline, session: Session | null, cards: ReadonlyArray<Sized> = []) => {
  const { totals } = timeline
  return {
    status: standing(timeline),
    totals,
    model: lastRequest(timeline)?.model ?? session?.agent.model.id ?? null,
    tokens: totals === null ? 0 : totals.inputTokens + totals.outputTokens + totals.cacheReadTokens,
    context: contextOf(
      lastRequest(timeline, ({ usage }) => usage !== null),
      session,
      cards
    ),
    microUsd: totals === null ? 0 : costOf(totals),
    unconfined: unconfined(session)
  }
}
