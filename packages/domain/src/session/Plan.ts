import type { Json } from "../Json.ts"

export const planStatuses = ["pending", "in_progress", "completed"] as const

/** A step of what an agent means to do, and how far it is with it. */
export type PlanStep = Readonly<{
  step: string
  status: (typeof planStatuses)[number]
}>

const stepOf = (item: Json): PlanStep | null => {
  if (typeof item !== "object" || item === null || !("step" in item) || !("status" in item)) return null
  const status = planStatuses.find((known) => known === item["status"])
  return typeof item["step"] === "string" && status !== undefined ? { step: item["step"], status } : null
}

/** The steps of a plan as an event or a call has them. What is none, such as one that was redacted, is left out. */
export const stepsOf = (items: ReadonlyArray<Json>): ReadonlyArray<PlanStep> =>
  items.flatMap((item) => stepOf(item) ?? [])

/** How far a plan is, and what is done of it now. */
export const progressOf = (steps: ReadonlyArray<PlanStep>) => ({
  done: steps.filter(({ status }) => status === "completed").length,
  total: steps.length,
  current: steps.find(({ status }) => status === "in_progress")?.step ?? null
})
