import type { UsageRow } from "@troupe/client"
import { cost, short } from "../ui/format.logic.ts"

export const spans = [7, 30, 90] as const
export const groups = [
  { id: "model", title: "Model" },
  { id: "agent", title: "Agent" },
  { id: "session", title: "Session" }
] as const
export type Group = (typeof groups)[number]["id"]

export const metrics = [
  { id: "cost", title: "Cost", of: (row: UsageRow) => row.cost_micro_usd, text: (value: number) => cost(value) },
  { id: "tokens", title: "Tokens", of: (row: UsageRow) => row.input_tokens + row.output_tokens, text: short },
  { id: "requests", title: "Requests", of: (row: UsageRow) => row.model_requests, text: short },
  { id: "calls", title: "Tool calls", of: (row: UsageRow) => row.tool_calls, text: short }
] as const
export type Metric = (typeof metrics)[number]

const dayMs = 86_400_000

/** The last days, today among them, in UTC as the server counts them. */
export const daysUntil = (now: number, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => new Date(now - (count - 1 - index) * dayMs).toISOString().slice(0, 10))

export interface Bar {
  readonly day: string
  readonly value: number
}

/** A bar for each day, also for those on which nothing was used. */
export const barsOf = (
  days: ReadonlyArray<string>,
  rows: ReadonlyArray<UsageRow>,
  { of }: Metric
): ReadonlyArray<Bar> => {
  const byDay = new Map<string, number>()
  for (const row of rows) if (row.day !== null) byDay.set(row.day, (byDay.get(row.day) ?? 0) + of(row))
  return days.map((day) => ({ day, value: byDay.get(day) ?? 0 }))
}

/** A round number that nothing is above: the top of an axis. */
export const topOf = (values: ReadonlyArray<number>): number => {
  const most = Math.max(0, ...values)
  if (most === 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= most)!
}

export const totalOf = (rows: ReadonlyArray<UsageRow>, { of }: Metric): number =>
  rows.reduce((sum, row) => sum + of(row), 0)

/** What most of it went to comes first. Calls of tools, which no model makes, are named as what they are. */
export const ranked = (rows: ReadonlyArray<UsageRow>, { of }: Metric): ReadonlyArray<UsageRow> =>
  rows.toSorted((a, b) => of(b) - of(a))

export const nameIn = (row: UsageRow, group: Group, names: ReadonlyMap<string, string>): string => {
  switch (group) {
    case "model":
      return row.model === null || row.model === "" ? "Tools" : row.model
    case "agent":
      return row.agent_id === null ? "No agent" : (names.get(row.agent_id) ?? row.agent_id)
    case "session":
      return row.session_id === null ? "No session" : (names.get(row.session_id) ?? row.session_id)
  }
}
