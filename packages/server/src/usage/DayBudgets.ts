import type { WorkspaceId } from "@troupe/domain/Ids"
import { type DayLimit, type DayUse, spentToday } from "@troupe/domain/workspace/DayLimit"
import { Clock, Context, Effect, Layer } from "effect"
import { SettingsStore } from "../workspace/SettingsStore.ts"
import { Usage, type UsageSums } from "./Usage.ts"

export const dayOf = (nowMs: number): string => new Date(nowMs).toISOString().slice(0, 10)

/** What works counts as far as it has come, whenever it began: who waits for its end would wait too long. */
const useOf = (sums: UsageSums, workingMs: number): DayUse => ({
  tokens: sums.inputTokens + sums.outputTokens + sums.cacheReadTokens + sums.cacheWriteTokens,
  cost_micro_usd: sums.costMicroUsd,
  tool_calls: sums.toolCalls,
  model_requests: sums.modelRequests,
  active_ms: sums.activeMs + workingMs
})

export interface DayBudgetsOptions {
  /** How long a look at the database counts: many turns ask at once. */
  readonly freshMs: number
}

/** Whether a workspace may use more today. */
export class DayBudgets extends Context.Service<
  DayBudgets,
  {
    /**
     * The limits that hold now; empty where there are none. `null` where that can't be known: nothing is begun then, and
     * nothing that runs is stopped for it.
     */
    readonly spent: (workspaceId: WorkspaceId) => Effect.Effect<ReadonlyArray<DayLimit> | null>
    /** Whether nothing holds the workspace, as far as is known without asking: it had no limits a moment ago, or has used up none. */
    readonly isKnownFree: (workspaceId: WorkspaceId) => boolean
  }
>()("server/DayBudgets") {
  static readonly layer = (options: DayBudgetsOptions): Layer.Layer<DayBudgets, never, SettingsStore | Usage> =>
    Layer.effect(DayBudgets, make(options))
}

interface Looked {
  readonly spent: ReadonlyArray<DayLimit> | null
  readonly isLimited: boolean
}

/** So long after it had no limits a workspace may be given some of which turns that begin do not know. */
const unlimitedMs = 5_000

const make = Effect.fnUntraced(function* ({ freshMs }: DayBudgetsOptions) {
  const settings = yield* SettingsStore
  const usage = yield* Usage
  const clock = yield* Clock.Clock
  const looked = new Map<WorkspaceId, Looked & { readonly at: number }>()

  const look = Effect.fnUntraced(function* (workspaceId: WorkspaceId, now: number) {
    const settled = yield* settings.get(workspaceId)
    const { dayLimits } = settled.settings
    if (dayLimits.length === 0) return { spent: [], isLimited: false }
    const today = dayOf(now)
    const sums = yield* usage.ofDay(workspaceId, today)
    const hasTime = dayLimits.some(({ metric }) => metric === "active_ms")
    const workingMs = hasTime ? yield* usage.working(workspaceId, now) : 0
    return { spent: spentToday(dayLimits, useOf(sums, workingMs), settled.passedOn === today), isLimited: true }
  })

  /** What was found when it was looked last, if that counts still. */
  const fresh = (workspaceId: WorkspaceId, now: number) => {
    const before = looked.get(workspaceId)
    return before !== undefined && now - before.at < freshMs && before.at <= now ? before : undefined
  }

  const spent = Effect.fn("DayBudgets.spent")(function* (workspaceId: WorkspaceId) {
    const now = clock.currentTimeMillisUnsafe()
    const before = fresh(workspaceId, now)
    if (before !== undefined) return before.spent
    const found = yield* look(workspaceId, now).pipe(
      Effect.catch((error) =>
        Effect.as(
          Effect.logWarning("A day's budget could not be looked up", error).pipe(Effect.annotateLogs({ workspaceId })),
          { spent: null, isLimited: true }
        )
      )
    )
    for (const [workspace, { at }] of looked) if (now - at >= Math.max(freshMs, unlimitedMs)) looked.delete(workspace)
    looked.set(workspaceId, { ...found, at: now })
    return found.spent
  })

  const isKnownFree = (workspaceId: WorkspaceId) => {
    const now = clock.currentTimeMillisUnsafe()
    const before = looked.get(workspaceId)
    const hadNone = before?.isLimited === false && now - before.at < unlimitedMs
    return hadNone || fresh(workspaceId, now)?.spent?.length === 0
  }

  return DayBudgets.of({ spent, isKnownFree })
})
