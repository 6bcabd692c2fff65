import type { RunRequest } from "@troupe/domain/runner/Attempt"
import { consumed } from "@troupe/domain/session/Budget"
import { addUsage, type Totals, type Usage } from "@troupe/domain/session/Usage"

/** What may be used and was used, the model requests of this attempt included, whoever makes them. */
export class Spending {
  private session: Totals
  private turn: Totals
  private readonly request: Pick<RunRequest, "budget" | "used">

  constructor(request: Pick<RunRequest, "budget" | "used">) {
    this.request = request
    this.session = request.used.session
    this.turn = request.used.turn
  }

  add(usage: Usage): void {
    this.session = addUsage(this.session, usage)
    this.turn = addUsage(this.turn, usage)
  }

  /** Those that the turn has made of models, in all of its attempts. */
  get requests(): number {
    return this.turn.modelRequests
  }

  /** Soft limits ask a person, which is the session's business: it says so. Hard ones hold here too. */
  get isSpent(): boolean {
    return this.request.budget.some(
      (limit) =>
        limit.enforcement === "hard" &&
        consumed(limit.scope === "session" ? this.session : this.turn, limit) >= limit.max
    )
  }
}
