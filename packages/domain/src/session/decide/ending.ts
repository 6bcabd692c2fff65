import type { AttemptId, EventId, ThreadId } from "../../Ids.ts"
import { Limits } from "../../Limits.ts"
import { text, unknownOutcomeText } from "../Content.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { Call, Turn } from "../SessionState.ts"
import { awaiting } from "../standing.ts"
import type { ErrorInfo } from "../Status.ts"
import type { Draft } from "./Draft.ts"
import { placeBehind, requeue } from "./queue.ts"

type Outcome = EventOf<"ToolFinished">["outcome"]

/** What a call's outcome says to the model when nobody else can say it. */
const outcomeText: Record<Exclude<Outcome, "succeeded" | "failed" | "timed_out">, string> = {
  unknown: unknownOutcomeText,
  interrupted: "Tool execution was interrupted before completion. Please retry.",
  denied: "The call was denied.",
  expired: "Nobody answered in time."
}

const finish = (draft: Draft, threadId: ThreadId, turn: Turn, call: Call, outcome: keyof typeof outcomeText): void =>
  draft.emit({
    _tag: "ToolFinished",
    threadId,
    turnId: turn.turnId,
    attemptId: null,
    frame: null,
    callId: call.callId,
    executor: call.executor,
    outcome,
    content: text(outcome === "denied" && call.message !== null ? call.message : outcomeText[outcome]),
    isError: true,
    durationMs: null,
    details: null
  })

/** Calls that were refused, by a person or by waiting too long, become error results that the model gets to see. */
export const closeRefused = (draft: Draft, threadId: ThreadId, turn: Turn): void => {
  for (const call of turn.calls) {
    if (call.status === "denied" || call.status === "expired") finish(draft, threadId, turn, call, call.status)
  }
}

/** Model requests that never said how they ended: each ends here, with the estimate that was made for it. */
const endRequests = (draft: Draft, threadId: ThreadId, turn: Turn): void => {
  for (const request of turn.requests) {
    draft.emit({
      _tag: "ModelRequestEnded",
      threadId,
      turnId: turn.turnId,
      attemptId: null,
      frame: null,
      requestId: request.requestId,
      outcome: "unknown",
      usage: { ...request.estimate, source: "estimated" },
      durationMs: null,
      response: null
    })
  }
}

/** Sub-agents that never said how they ended: each ends here, the last one that began first. */
const endSubagents = (draft: Draft, threadId: ThreadId, turn: Turn): void => {
  for (const { callId, subagentId } of turn.subagents.toReversed()) {
    draft.emit({
      _tag: "SubagentEnded",
      threadId,
      turnId: turn.turnId,
      attemptId: null,
      frame: null,
      subagentId,
      callId,
      outcome: "unknown",
      summary: null,
      durationMs: null
    })
  }
}

/** Calls that a worker owes the results of, and that nobody may make again who can't tell how far they came. */
export const closeDoubtful = (draft: Draft, threadId: ThreadId, turn: Turn): void => {
  for (const call of turn.calls) {
    const owed = call.executor === "worker" && call.awaits === "result"
    if (owed && !call.readOnly && !call.idempotent) finish(draft, threadId, turn, call, "unknown")
  }
}

/** What a call had asked of people when it ended: nobody waits for the answer any more. */
export const closeQuestions = (draft: Draft, threadId: ThreadId, callId: EventId): void => {
  const turn = draft.turn(threadId)
  if (turn === null) return
  for (const call of turn.calls) {
    if (call.within === callId)
      finish(draft, threadId, turn, call, call.status === "expired" ? "expired" : "interrupted")
  }
}

/**
 * Ends what an attempt leaves open once it works no more. If the turn goes on, calls that people owe an answer and those
 * that they allowed stay open for the next attempt.
 */
export const closeCalls = (draft: Draft, threadId: ThreadId, turn: Turn, end: "attempt" | "turn"): void => {
  endRequests(draft, threadId, turn)
  endSubagents(draft, threadId, turn)
  closeRefused(draft, threadId, turn)
  for (const call of turn.calls) {
    if (call.status === "started") finish(draft, threadId, turn, call, "unknown")
    const never = call.status === "requested" && call.awaits === "nothing"
    const waits = call.status === "approved" || (call.status === "requested" && call.awaits !== "nothing")
    if (never || (waits && (end === "turn" || call.within !== undefined)))
      finish(draft, threadId, turn, call, "interrupted")
  }
}

export const interruptTurn = (draft: Draft, threadId: ThreadId, frame: number | null): void => {
  const turn = draft.turn(threadId)
  if (turn === null) return
  closeCalls(draft, threadId, turn, "turn")
  const inputIds = turn.interrupt?.inputIds ?? []
  draft.emit({
    _tag: "TurnInterrupted",
    threadId,
    turnId: turn.turnId,
    attemptId: turn.phase._tag === "Working" ? turn.phase.attemptId : null,
    frame,
    inputIds,
    at: draft.at
  })
  placeBehind(draft, threadId, inputIds)
  requeue(draft, threadId)
}

/** How an attempt went wrong. */
export interface Failure {
  readonly error: ErrorInfo
  readonly retryable: boolean
  /** What the provider asked for; null: our own backoff. */
  readonly retryAfterMs: number | null
}

const retryAfterMaxMs = 3_600_000
const backoffMs = (failures: number): number => Math.min(60_000, 1_000 * 2 ** (failures - 1))

type Fate = "interrupted" | "asked" | "exhausted" | "terminal" | "suspended" | "rescheduled"

/** What becomes of a turn whose attempt went wrong, its open calls closed. */
const fateOf = (turn: Turn, { retryable }: Failure): Fate => {
  if (turn.interrupt !== null) return "interrupted"
  if (!retryable) return "terminal"
  if (turn.doubts.length > 0) return "asked"
  if (turn.failures + 1 >= Limits.attemptsPerTurnMax) return "exhausted"
  return awaiting(turn).length > 0 ? "suspended" : "rescheduled"
}

/** An attempt is over and its turn is not: try again, wait for people, ask whether to, or give up. */
export const afterAttempt = (
  draft: Draft,
  threadId: ThreadId,
  attemptId: AttemptId,
  failure: Failure,
  frame: number | null
): void => {
  const before = draft.turn(threadId)
  if (before !== null) closeCalls(draft, threadId, before, "attempt")
  const turn = draft.turn(threadId)
  if (turn === null) return
  const { error, retryAfterMs } = failure
  const at = draft.at
  const { turnId } = turn
  const failures = turn.failures + 1
  const fate = fateOf(turn, failure)
  if (frame !== null) {
    const again = fate === "rescheduled" || fate === "suspended"
    const retryStatus = again ? "retrying" : failure.retryable ? "exhausted" : "terminal"
    draft.emit({ _tag: "AttemptTroubled", threadId, turnId, attemptId, frame, error, retryStatus })
  }
  switch (fate) {
    case "interrupted":
      return interruptTurn(draft, threadId, null)
    case "asked":
      return draft.emit({ _tag: "RetryAsked", threadId, turnId, callIds: turn.doubts, error, at })
    case "exhausted":
    case "terminal":
      closeCalls(draft, threadId, turn, "turn")
      draft.emit({ _tag: "TurnFailed", threadId, turnId, error, retryStatus: fate, at })
      return requeue(draft, threadId)
    case "suspended": {
      const reason = "requires_action"
      return draft.emit({ _tag: "TurnSuspended", threadId, turnId, attemptId, frame: null, reason, at })
    }
    case "rescheduled": {
      const notBefore = at + Math.min(retryAfterMaxMs, Math.max(0, retryAfterMs ?? backoffMs(failures)))
      return draft.emit({ _tag: "TurnRescheduled", threadId, turnId, error, notBefore, failures, at })
    }
  }
}
