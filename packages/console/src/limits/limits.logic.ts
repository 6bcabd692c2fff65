import type { Session, WorkspaceSettings } from "@troupe/client"
import { isCostCap } from "@troupe/domain/session/Budget"
import { cost, count, duration, short } from "../ui/format.logic.ts"

export type SessionLimit = Session["troupe"]["limits"][number]
type DayLimit = WorkspaceSettings["day_limits"][number]
export type Metric = SessionLimit["metric"]

interface Measure {
  readonly id: Metric
  /** As one chooses it. */
  readonly title: string
  /** How much of what is counted one of what people write is. */
  readonly per: number
  readonly said: (value: number) => string
}

/** What can be bounded, and how people write and read it. */
export const measures: ReadonlyArray<Measure> = [
  { id: "tokens", title: "tokens", per: 1, said: (value) => `${short(value)} tokens` },
  { id: "cost_micro_usd", title: "dollars", per: 1_000_000, said: cost },
  {
    id: "model_requests",
    title: "requests to models",
    per: 1,
    said: (value) => `${count(value)} ${value === 1 ? "request" : "requests"} to models`
  },
  {
    id: "tool_calls",
    title: "calls of tools",
    per: 1,
    said: (value) => `${count(value)} ${value === 1 ? "call" : "calls"} of tools`
  },
  { id: "active_ms", title: "minutes of work", per: 60_000, said: (value) => `${duration(value)} of work` }
]

const measureOf = (metric: Metric): Measure => measures.find(({ id }) => id === metric)!

/** An amount of what is bounded, in words. */
export const amount = (metric: Metric, value: number): string => measureOf(metric).said(value)

/** A limit in words. */
export const limitText = ({ enforcement, max, metric, scope }: SessionLimit): string =>
  `${amount(metric, max)} ${scope === "turn" ? "a turn" : "in all"}, ${enforcement === "soft" ? "then it asks" : "then it stops"}`

/** A limit as somebody writes it. */
export interface LimitDraft {
  readonly metric: Metric
  readonly text: string
  readonly enforcement: SessionLimit["enforcement"]
  /** Of a day's limit nothing is made of it. */
  readonly scope: SessionLimit["scope"]
}

export const newLimit: LimitDraft = { metric: "tokens", text: "", enforcement: "soft", scope: "session" }

export const limitDraftOf = (limit: DayLimit | SessionLimit): LimitDraft => ({
  metric: limit.metric,
  text: String(limit.max / measureOf(limit.metric).per),
  enforcement: limit.enforcement,
  scope: "scope" in limit ? limit.scope : "session"
})

/** What is written, as it is counted; null where it is no number above zero. */
const maxIn = ({ metric, text }: LimitDraft): number | null => {
  const plain = text.trim().replace(",", ".")
  const { per } = measureOf(metric)
  if (!(per === 1 ? /^\d{1,15}$/ : /^\d{1,12}(\.\d{1,20})?$/).test(plain)) return null
  const max = Math.round(Number(plain) * per)
  return max > 0 && Number.isSafeInteger(max) ? max : null
}

const most = 19

/** What is wrong with limits, in words; null where they can be sent. */
export const wrongWith = (drafts: ReadonlyArray<LimitDraft>): string | null => {
  if (drafts.length > most) return `There can be ${most} limits.`
  const unread = drafts.find((draft) => maxIn(draft) === null)
  if (unread === undefined) return null
  const isWhole = measureOf(unread.metric).per === 1
  return `A number of ${measureOf(unread.metric).title} is missing${isWhole ? ", a whole one" : ""}.`
}

const dayLimitIn = (draft: LimitDraft): DayLimit => ({
  metric: draft.metric,
  max: maxIn(draft) ?? 1,
  enforcement: draft.enforcement
})

export const dayLimitsIn = (drafts: ReadonlyArray<LimitDraft>): ReadonlyArray<DayLimit> => drafts.map(dayLimitIn)

export const sessionLimitsIn = (drafts: ReadonlyArray<LimitDraft>): ReadonlyArray<SessionLimit> =>
  drafts.map((draft) => ({ ...dayLimitIn(draft), scope: draft.scope }))

/** The same for those of a session: what it may cost at most is said by its budget. */
export const wrongWithSession = (drafts: ReadonlyArray<LimitDraft>): string | null =>
  wrongWith(drafts) ??
  (sessionLimitsIn(drafts).some(isCostCap) ? "What the session may cost before it stops is its budget, above." : null)
