import { type PlanStep, progressOf } from "@troupe/domain/session/Plan"
import type { TimelinePlan } from "@troupe/domain/session/Timeline"
import { ChevronRight } from "lucide-react"
import { useState } from "react"
import "./plan.css"

const lights = {
  pending: { light: "idle", text: "To do" },
  in_progress: { light: "running", text: "Under way" },
  completed: { light: "good", text: "Done" }
} as const

/** What an agent means to do, step by step. */
export const PlanSteps = ({ steps }: { readonly steps: ReadonlyArray<PlanStep> }) => (
  <ol className="plan-steps">
    {steps.map(({ status, step }, index) => (
      <li key={index} className={status}>
        <span className={`dot ${lights[status].light}`} role="img" aria-label={lights[status].text} />
        <span>{step}</span>
      </li>
    ))}
  </ol>
)

/** The plan as it stands: how far it is, and all of it for who wants to see it. */
export const Plan = ({ plan }: { readonly plan: TimelinePlan }) => {
  const [isOpen, setOpen] = useState(false)
  const { current, done, total } = progressOf(plan.steps)
  if (done === total && !isOpen) return null
  return (
    <section className="plan" aria-label="Plan">
      <button type="button" className="call-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={13} className="turn" aria-hidden />
        <span className="soft number">
          Plan · {done} of {total}
        </span>
        <span className="cut">{current}</span>
      </button>
      {isOpen ? <PlanSteps steps={plan.steps} /> : null}
    </section>
  )
}
