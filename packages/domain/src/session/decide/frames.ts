import type { AttemptId } from "../../Ids.ts"
import type { Frame } from "../Frame.ts"
import type { CommandOf } from "../SessionCommand.ts"
import { awaitsOnceAllowed, grantKey } from "../standing.ts"
import { afterAttempt, closeCalls, closeQuestions, interruptTurn } from "./ending.ts"
import type { Draft, Running } from "./Draft.ts"
import { violation } from "./protocol.ts"
import { placeBehind, requeue, take } from "./queue.ts"

/**
 * Frames in order: repeats are dropped, a hole is refused so that the owner attaches again, and those of an attempt that
 * has ended change nothing but are recorded once. Whatever came before a bad frame is good: it is kept, and the bad one
 * is refused when it comes first.
 */
export const record = (draft: Draft, { attemptId, frames }: CommandOf<"RecordFrames">): void => {
  for (const [index, frame] of frames.entries()) {
    const found = draft.working(attemptId)
    if (found === undefined) return late(draft, attemptId, frames.slice(index))
    if (frame.n <= found.frame) continue
    const first = draft.events.length === 0
    if (frame.n > found.frame + 1) {
      if (first) draft.refuse({ _tag: "FrameHole", expected: found.frame + 1, got: frame.n })
      return
    }
    const detail = violation(draft.session, found.turn, frame.body)
    if (detail !== null) {
      if (first) draft.refuse({ _tag: "ProtocolViolation", frame: frame.n, detail })
      return
    }
    apply(draft, found, attemptId, frame)
  }
}

const late = (draft: Draft, attemptId: AttemptId, frames: ReadonlyArray<Frame>): void => {
  const thread = draft.session.threads.find((one) => one.ended?.attemptId === attemptId)
  const ended = thread?.ended ?? null
  const numbers = frames.map((frame) => frame.n).filter((n) => n > (ended?.frame ?? 0))
  if (thread === undefined || ended === null || (numbers.length > 0 && ended.lateRecorded)) {
    if (draft.events.length === 0) draft.refuse({ _tag: "AttemptEnded", attemptId })
    return
  }
  // Only repeats: their sender never heard that they were recorded.
  if (numbers.length === 0) return
  const [from, to] = [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))]
  draft.emit({ _tag: "FramesRefused", threadId: thread.threadId, attemptId, from, to })
}

const apply = (draft: Draft, { thread, turn }: Running, attemptId: AttemptId, frame: Frame): void => {
  const { body, n } = frame
  const { threadId } = thread
  const at = { threadId, turnId: turn.turnId, attemptId, frame: n }
  switch (body._tag) {
    case "ModelRequestStarted":
    case "ModelRequestEnded":
    case "MessageBlock":
    case "ThinkingBlock":
    case "ToolStarted":
    case "SubagentStarted":
    case "ContextCompacted":
    case "WorkingCopyCaptured":
    case "WorkingCopyRewound":
      return draft.emit({ ...body, ...at })
    case "ToolFinished": {
      const call = turn.calls.find(({ callId }) => callId === body.callId)
      draft.emit({ ...body, ...(call === undefined ? {} : { executor: call.executor }), ...at })
      return closeQuestions(draft, threadId, body.callId)
    }
    case "SubagentEnded": {
      const callId = turn.subagents.find(({ subagentId }) => subagentId === body.subagentId)?.callId ?? null
      return draft.emit({ ...body, callId, ...at })
    }
    case "ToolRequested": {
      // The runner need not know what was allowed while it worked.
      const granted = body.awaits === "confirmation" && draft.session.grants.includes(grantKey(body))
      return draft.emit({ ...body, ...(granted ? { awaits: awaitsOnceAllowed(body.executor) } : {}), ...at })
    }
    case "SteerTaken": {
      const steer = turn.steers.find((one) => one.inputId === body.inputId)
      return steer === undefined ? undefined : take(draft, at, steer)
    }
    case "Troubled":
      return draft.emit({ _tag: "AttemptTroubled", ...at, error: body.error, retryStatus: body.retryStatus })
    case "SandboxCreated":
    case "SandboxLost":
    case "SandboxRestored":
    case "SandboxDestroyed":
      draft.emit(body)
      return draft.emit({ _tag: "FrameNoted", ...at })
    case "TitleSuggested":
      if (draft.session.title === null) draft.emit({ _tag: "SessionUpdated", title: body.title, at: draft.at })
      return draft.emit({ _tag: "FrameNoted", ...at })
    case "Noted":
      draft.emit(body.event)
      return draft.emit({ _tag: "FrameNoted", ...at })
    case "Suspended":
      closeCalls(draft, threadId, turn, "attempt")
      draft.emit({ _tag: "TurnSuspended", ...at, reason: body.reason, at: draft.at })
      if (turn.interrupt !== null) interruptTurn(draft, threadId, null)
      return
    case "Interrupted":
      return interruptTurn(draft, threadId, n)
    case "Completed": {
      const inputIds = turn.interrupt?.inputIds ?? []
      closeCalls(draft, threadId, turn, "turn")
      draft.emit({ _tag: "TurnCompleted", ...at, stop: body.stop, details: body.details, inputIds, at: draft.at })
      placeBehind(draft, threadId, inputIds)
      return requeue(draft, threadId)
    }
    case "Failed": {
      const { _tag, ...failure } = body
      return afterAttempt(draft, threadId, attemptId, failure, n)
    }
  }
}
