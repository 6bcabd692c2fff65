import { contentOut } from "@troupe/domain/api/compat/content"
import { timeOf } from "@troupe/domain/api/Page"
import type { Overrides, Turn, TurnQueue } from "@troupe/domain/api/Turns"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import type { OpenSession, QueuedTurn, Thread } from "@troupe/domain/session/SessionState"
import { threadStatus } from "@troupe/domain/session/standing"
import type { StartedTurn } from "./startedTurns.ts"

export const overridesOut = ({ effort, metadata, model, permissionPreset, tools }: TurnOverrides): Overrides => ({
  ...(model === undefined ? {} : { model }),
  ...(effort === undefined ? {} : { effort }),
  ...(tools === undefined ? {} : { tools }),
  ...(permissionPreset === undefined ? {} : { permission_preset: permissionPreset }),
  ...(metadata === undefined ? {} : { metadata })
})

const notBegun = {
  started_seq: null,
  started_at: null,
  ended_seq: null,
  ended_at: null,
  stop_reason: null,
  error: null
}

const queuedOut = (threadId: string, turn: QueuedTurn): Turn => ({
  id: turn.turnId,
  type: "turn",
  thread_id: threadId,
  status: "queued",
  event_id: turn.inputId,
  content: contentOut(turn.content),
  overrides: overridesOut(turn.overrides),
  needs_approval: turn.needsApproval,
  ...notBegun
})

export const queueOut = (thread: Thread): TurnQueue => ({
  type: "turn_queue",
  thread_id: thread.threadId,
  version: thread.queueVersion,
  current: thread.turn?.turnId ?? null,
  data: thread.queue.map((turn) => queuedOut(thread.threadId, turn))
})

const statuses = {
  idle: "waiting",
  running: "running",
  rescheduling: "rescheduling",
  terminated: "interrupted"
} as const

/** Of a turn that goes on: what its thread shows. */
const standing = (state: OpenSession, turnId: string): Turn["status"] => {
  for (const thread of state.threads) {
    if (thread.turn?.turnId === turnId) return statuses[threadStatus(state, thread).status]
    if (thread.retry?.turnId === turnId) return "queued"
  }
  return "running"
}

/** How a turn that has begun is known to have ended. */
const ending = (fate: NonNullable<StartedTurn["fate"]>["event"]) => {
  switch (fate._tag) {
    case "TurnCompleted":
      return { status: "completed", stop_reason: fate.stop, error: null } as const
    case "TurnInterrupted":
      return { status: "interrupted", stop_reason: null, error: null } as const
    case "TurnFailed":
      return {
        status: "failed",
        stop_reason: fate.retryStatus === "exhausted" ? "retries_exhausted" : null,
        error: { code: fate.error.code, message: fate.error.message }
      } as const
    case "TurnRetried":
      return null
  }
}

export const startedOut = (turn: StartedTurn, state: OpenSession | null): Turn => {
  const { fate, message, seq, started } = turn
  const end = fate === null ? null : ending(fate.event)
  return {
    id: started.turnId,
    type: "turn",
    thread_id: started.threadId,
    event_id: message?.inputId ?? null,
    content: message === null ? [] : contentOut(message.content),
    overrides: overridesOut(started.overrides),
    needs_approval: false,
    started_seq: seq,
    started_at: timeOf(started.at),
    ended_seq: end === null ? null : fate!.seq,
    ended_at: end === null ? null : timeOf(fate!.event.at),
    ...(end ?? {
      status: state === null ? "running" : standing(state, started.turnId),
      stop_reason: null,
      error: null
    })
  }
}
