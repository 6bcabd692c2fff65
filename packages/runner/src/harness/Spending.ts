import type { RunRequest } from "@troupe/domain/runner/Attempt"
import { consumed } from "@troupe/domain/session/Budget"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { searchesIn } from "@troupe/domain/session/Searches"
import { addSearches, addUsage, type Totals } from "@troupe/domain/session/Usage"
import type { AttemptFrames } from "../attempt/AttemptFrames.ts"

interface SpendingOptions {
  readonly request: Pick<RunRequest, "budget" | "used" | "calls">
  /** Milliseconds, from wherever. */
  readonly now: () => number
}

/** What may be used and was used: what the frames of this attempt say, whoever says it, and the time that it has worked. */
export class Spending {
  private session: Totals
  private turn: Totals
  private readonly budget: RunRequest["budget"]
  /** Who carries out the calls that are not over. */
  private readonly executors: Map<string, string>
  private readonly now: () => number
  private readonly beganAt: number

  constructor({ now, request: { budget, calls, used } }: SpendingOptions) {
    this.budget = budget
    this.session = used.session
    this.turn = used.turn
    this.executors = new Map(calls.map(({ callId, executor }) => [callId, executor]))
    this.now = now
    this.beganAt = now()
  }

  /** The same frames. What they say counts from when it is said. */
  counting(frames: AttemptFrames): AttemptFrames {
    const emit: AttemptFrames["emit"] = (body) => {
      this.take(body)
      return frames.emit(body)
    }
    const say: AttemptFrames["say"] = (body) => {
      this.take(body)
      return frames.say(body)
    }
    return { ...frames, emit, say }
  }

  private take(body: FrameBody): void {
    switch (body._tag) {
      case "ModelRequestEnded":
        return this.add((totals) => addUsage(totals, body.usage))
      case "ToolRequested":
        return void this.executors.set(body.callId, body.executor)
      case "ToolStarted":
        return this.add((totals) => ({ ...totals, toolCalls: totals.toolCalls + 1 }))
      case "ToolFinished": {
        const searches = searchesIn(this.executors.get(body.callId), body.details)
        this.executors.delete(body.callId)
        return this.add((totals) => addSearches(totals, searches))
      }
    }
  }

  private add(more: (totals: Totals) => Totals): void {
    this.session = more(this.session)
    this.turn = more(this.turn)
  }

  /** Those that the turn has made of models, in all of its attempts. */
  get requests(): number {
    return this.turn.modelRequests
  }

  /** Soft limits ask a person, which is the session's business: it says so. Hard ones hold here too. */
  get isSpent(): boolean {
    const workedMs = Math.max(0, this.now() - this.beganAt)
    return this.budget.some((limit) => {
      const totals = limit.scope === "session" ? this.session : this.turn
      const now = { ...totals, activeMs: totals.activeMs + workedMs }
      return limit.enforcement === "hard" && consumed(now, limit) >= limit.max
    })
  }
}
