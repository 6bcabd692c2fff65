import { Schema } from "effect"

export const DayMetric = Schema.Literals(["tokens", "cost_micro_usd", "tool_calls", "model_requests", "active_ms"])
export type DayMetric = typeof DayMetric.Type

/**
 * A bound on what the sessions of a workspace use together in a day, in UTC. At a hard one no turn goes on before the next
 * day, or before the limit is raised; a soft one can be let pass for the day.
 */
export const DayLimit = Schema.Struct({
  metric: DayMetric,
  max: Schema.Int.check(Schema.isGreaterThan(0)),
  enforcement: Schema.Literals(["hard", "soft"])
})
export type DayLimit = typeof DayLimit.Type

export type DayUse = Readonly<Record<DayMetric, number>>

/** The limits that are come up to and hold. */
export const spentToday = (limits: ReadonlyArray<DayLimit>, use: DayUse, isPassed: boolean): ReadonlyArray<DayLimit> =>
  limits.filter(({ enforcement, max, metric }) => use[metric] >= max && !(enforcement === "soft" && isPassed))
