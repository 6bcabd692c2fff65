import type { AttemptId } from "../../Ids.ts"
import { Limits } from "../../Limits.ts"
import { text } from "../Content.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { Call, Thread, Turn } from "../SessionState.ts"
import { awaiting } from "../standing.ts"
import type { ErrorInfo } from "../Status.ts"
import type { Draft } from "./Draft.ts"
import { requeue } from "./queue.ts"

type Outcome = EventOf<"ToolFinished">["outcome"]

/** What a call's outcome says to the model when nobody else can say it. */
const outcomeText: Record<Exclude<Outcome, "succeeded" | "failed" | "timed_out">, string> = {
  unknown: "This call was started; whether it finished is not known. Check before you repeat it.",
  interrupted: "Tool execution was interrupted before completion. Please retry.",
  denied: "The call was denied.",
  expired: "Nobody approved the call in time."
}

export const finish = (draft: Draft, thread: Thread, call: Call, outcome: keyof typeof outcomeText): void =>
  draft.emit({
    _tag: "ToolFinished",
    threadId: thread.threadId,
    turnId: thread.turn!.turnId,
    attemptId: null,
    frame: null,
    callId: call.callId,
    outcome,
    content: text(outcome === "denied" && call.message !== null ? call.message : outcomeText[outcome]),
    isError: true,
    durationMs: null,
    details: null
  })

/** Model requests that never said how they ended: each ends here, with the estimate that was made for it. */
const endRequests = (draft: Draft, thread: Thread, turn: Turn): void => {
  for (const request of turn.requests) {
    draft.emit({
      _tag: "ModelRequestEnded",
      threadId: thread.threadId,
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

/** Ends the open calls of an attempt that works no more. Those that wait for people stay open if the turn goes on. */
export const closeCalls = (draft: Draft, thread: Thread, turn: Turn, end: "attempt" | "turn"): void => {
  endRequests(draft, thread, turn)
  for (const call of turn.calls) {
    if (call.status === "started") finish(draft, thread, call, "unknown")
    else if (end === "turn") finish(draft, thread, call, call.status === "denied" ? "denied" : "interrupted")
    else if (call.awaits === "nothing" && call.status === "requested") finish(draft, thread, call, "interrupted")
  }
}

/** Unfinished messages go back to the queue once a turn is over. */
export const ended = (draft: Draft, thread: Thread): void => requeue(draft, thread.threadId)

export const interruptTurn = (draft: Draft, thread: Thread, frame: number | null): void => {
  const turn = thread.turn!
  closeCalls(draft, thread, turn, "turn")
  draft.emit({
    _tag: "TurnInterrupted",
    threadId: thread.threadId,
    turnId: turn.turnId,
    attemptId: turn.phase._tag === "Working" ? turn.phase.attemptId : null,
    frame,
    inputIds: turn.interrupt?.inputIds ?? [],
    at: draft.at
  })
  ended(draft, thread)
}

const backoffMs = (failures: number): number => Math.min(60_000, 1_000 * 2 ** (failures - 1))

/** An attempt is over and its turn is not: try again, wait for people, ask whether to, or give up. */
export const afterAttempt = (
  draft: Draft,
  thread: Thread,
  attemptId: AttemptId,
  failure: { readonly error: ErrorInfo; readonly retryable: boolean; readonly retryAfterMs: number | null }
): void => {
  const { threadId } = thread
  const turn = thread.turn!
  const { turnId } = turn
  const doubtful = turn.calls.filter((call) => call.status === "started" && !call.idempotent)
  closeCalls(draft, thread, turn, "attempt")
  if (turn.interrupt !== null) {
    interruptTurn(draft, draft.thread(threadId), null)
    return
  }
  const { error, retryAfterMs, retryable } = failure
  if (retryable && doubtful.length > 0) {
    const callIds = doubtful.map((call) => call.callId)
    draft.emit({ _tag: "RetryAsked", threadId, turnId, callIds, error, at: draft.at })
    return
  }
  const failures = turn.failures + 1
  if (!retryable || failures >= Limits.attemptsPerTurnMax) {
    closeCalls(draft, draft.thread(threadId), draft.thread(threadId).turn!, "turn")
    draft.emit({
      _tag: "TurnFailed",
      threadId,
      turnId,
      error,
      retryStatus: retryable ? "exhausted" : "terminal",
      at: draft.at
    })
    ended(draft, thread)
    return
  }
  if (awaiting(draft.thread(threadId).turn!).length > 0) {
    const reason = "requires_action"
    draft.emit({ _tag: "TurnSuspended", threadId, turnId, attemptId, frame: null, reason, at: draft.at })
    return
  }
  const notBefore = draft.at + (retryAfterMs ?? backoffMs(failures))
  draft.emit({ _tag: "TurnRescheduled", threadId, turnId, error, notBefore, failures, at: draft.at })
}
