import { Option, Schema } from "effect"
import type { Json } from "../Json.ts"

/** A step of what an agent means to do, and how far it is with it. */
export const PlanStep = Schema.Struct({
  step: Schema.String,
  status: Schema.Literals(["pending", "in_progress", "completed"])
})
export type PlanStep = typeof PlanStep.Type

const decode = Schema.decodeUnknownOption(PlanStep)

/** The steps of a plan as an event or a call has them. What is none, such as one that was redacted, is left out. */
export const stepsOf = (items: ReadonlyArray<Json>): ReadonlyArray<PlanStep> =>
  items.flatMap((item) => Option.toArray(decode(item)))

/** How far a plan is, and what is done of it now. */
export const progressOf = (steps: ReadonlyArray<PlanStep>) => ({
  done: steps.filter(({ status }) => status === "completed").length,
  total: steps.length,
  current: steps.find(({ status }) => status === "in_progress")?.step ?? null
})
