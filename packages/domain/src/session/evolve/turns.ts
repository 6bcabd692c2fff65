import type { ThreadId } from "../../Ids.ts"
import type { turns as events } from "../events/turns.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { OpenSession, Thread, Turn } from "../SessionState.ts"
import { awaiting } from "../standing.ts"
import type { StopReason } from "../Status.ts"
import { noTotals } from "../Usage.ts"
import { type Changes, count, onFrame, onThread, onTurn, turnOf } from "./parts.ts"

const placing = { _tag: "Placing", notBefore: null, waiting: null } as const

const newTurn = ({ overrides, turnId }: EventOf<"TurnStarted">): Turn => ({
  turnId,
  overrides,
  phase: placing,
  attempts: 0,
  failures: 0,
  calls: [],
  doubts: [],
  requests: [],
  subagents: [],
  steers: [],
  interrupt: null,
  totals: noTotals,
  announced: [],
  acknowledged: []
})

const inPhase = (session: OpenSession, threadId: ThreadId, phase: Turn["phase"]): OpenSession =>
  onTurn(session, threadId, (turn) => ({ ...turn, phase }))

/** An attempt stopped working: its time counts, and it is remembered for frames that come again or late. */
const stopWork = (
  session: OpenSession,
  event: { readonly threadId: ThreadId; readonly at: number; readonly frame?: number | null }
): OpenSession => {
  const { threadId } = event
  const phase = turnOf(session, threadId)?.phase
  if (phase?._tag !== "Working") return session
  const workedMs = Math.max(0, event.at - phase.startedAt)
  const frame = Math.max(phase.frame, event.frame ?? 0)
  const { attemptId } = phase
  return onThread(
    count(session, threadId, (totals) => ({ ...totals, activeMs: totals.activeMs + workedMs })),
    threadId,
    (thread) => ({ ...thread, ended: { attemptId, frame, lateRecorded: false } })
  )
}

const endTurn = (
  session: OpenSession,
  event: { readonly threadId: ThreadId; readonly at: number; readonly frame?: number | null },
  last: Thread["last"],
  stop: StopReason
): OpenSession =>
  onThread(stopWork(session, event), event.threadId, (thread) => ({
    ...thread,
    turn: null,
    stop,
    last,
    failed: last === "failed" ? thread.turn : thread.failed,
    // What no model request has seen goes back to the queue, by the events that follow.
    inbox: [...thread.inbox, ...(thread.turn?.steers ?? [])]
  }))

export const turns: Changes<keyof typeof events> = {
  TurnStarted: (session, event) =>
    onThread({ ...session, turns: session.turns + 1 }, event.threadId, (thread) => ({
      ...thread,
      queue:
        thread.queue[0]?.turnId === event.turnId
          ? thread.queue.slice(1)
          : thread.queue.filter((turn) => turn.turnId !== event.turnId),
      queueVersion: event.queueVersion,
      turn: newTurn(event)
    })),
  TurnWaiting: (session, { reason, threadId }) =>
    onTurn(session, threadId, (turn) =>
      turn.phase._tag === "Placing" ? { ...turn, phase: { ...turn.phase, waiting: reason } } : turn
    ),
  AttemptStarted: (session, { at, attemptId, number, runnerId, threadId }) =>
    onTurn(session, threadId, (turn) => ({
      ...turn,
      attempts: number,
      doubts: [],
      phase: { _tag: "Working", attemptId, runnerId, frame: 0, startedAt: at }
    })),
  AttemptLost: (session, event) => inPhase(stopWork(session, event), event.threadId, placing),
  TurnSuspended: (session, event) =>
    inPhase(stopWork(session, event), event.threadId, { _tag: "Suspended", reason: event.reason }),
  TurnResumed: (session, { threadId }) => inPhase(session, threadId, placing),
  TurnRescheduled: (session, event) =>
    onTurn(stopWork(session, event), event.threadId, (turn) => ({
      ...turn,
      failures: event.failures,
      phase: { ...placing, notBefore: event.notBefore }
    })),
  RetryAsked: (session, event) => {
    const { callIds, error, threadId } = event
    return inPhase(stopWork(session, event), threadId, { _tag: "Deciding", callIds, error })
  },
  RetryDecided: (session, { threadId }) =>
    onTurn(session, threadId, (turn) => ({
      ...turn,
      phase: awaiting(turn).length > 0 ? { _tag: "Suspended", reason: "requires_action" } : placing
    })),
  RetryQueued: (session, { threadId, turnId }) =>
    onThread(session, threadId, (thread) =>
      thread.failed?.turnId === turnId ? { ...thread, failed: null, retry: thread.failed } : thread
    ),
  TurnRetried: (session, { threadId, turnId }) =>
    onThread(session, threadId, (thread) => {
      const again = [thread.retry, thread.failed].find((turn) => turn?.turnId === turnId)
      if (again == null) return thread
      return {
        ...thread,
        failed: thread.failed === again ? null : thread.failed,
        retry: thread.retry === again ? null : thread.retry,
        turn: {
          ...again,
          phase: placing,
          failures: 0,
          calls: [],
          requests: [],
          subagents: [],
          steers: [],
          interrupt: null
        }
      }
    }),
  InterruptRequested: (session, { deadline, inputId, threadId, turnId }) =>
    onTurn(session, threadId, (turn) =>
      turnId === null
        ? turn
        : {
            ...turn,
            interrupt: {
              inputIds: [...(turn.interrupt?.inputIds ?? []), inputId],
              deadline: turn.interrupt?.deadline ?? deadline
            }
          }
    ),
  TurnInterrupted: (session, event) => endTurn(session, event, "interrupted", { type: "end_turn" }),
  TurnCompleted: (session, event) =>
    endTurn(
      session,
      event,
      "completed",
      event.stop === "refusal" ? { type: "refusal", details: event.details } : { type: event.stop }
    ),
  TurnFailed: (session, event) => endTurn(session, event, "failed", { type: "retries_exhausted" }),
  AttemptTroubled: (session, event) => onFrame(session, event),
  FrameNoted: (session, event) => onFrame(session, event),
  FramesRefused: (session, { attemptId, threadId }) =>
    onThread(session, threadId, (thread) =>
      thread.ended?.attemptId === attemptId ? { ...thread, ended: { ...thread.ended, lateRecorded: true } } : thread
    )
}
