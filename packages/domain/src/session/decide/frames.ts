import type { AttemptId } from "../../Ids.ts"
import type { Frame } from "../Frame.ts"
import type { CommandOf } from "../SessionCommand.ts"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Call, Thread, Turn } from "../SessionState.ts"
import { afterAttempt, closeCalls, ended, interruptTurn } from "./ending.ts"
import type { Draft } from "./Draft.ts"

const working = (draft: Draft, attemptId: AttemptId): { readonly thread: Thread; readonly turn: Turn } | undefined => {
  for (const thread of draft.session.threads) {
    const phase = thread.turn?.phase
    if (phase?._tag === "Working" && phase.attemptId === attemptId) return { thread, turn: thread.turn! }
  }
  return undefined
}

/**
 * Frames in order: repeats are dropped, a hole is refused so that the owner attaches again, and those of an attempt that
 * has ended change nothing but are recorded once.
 */
export const record = (draft: Draft, command: CommandOf<"RecordFrames">): void => {
  const { attemptId, frames } = command
  for (const [index, frame] of frames.entries()) {
    const found = working(draft, attemptId)
    if (found === undefined) {
      late(draft, attemptId, frames.slice(index))
      return
    }
    const last = found.turn.phase._tag === "Working" ? found.turn.phase.frame : 0
    if (frame.n <= last) continue
    if (frame.n > last + 1) {
      // What came before the hole is good: it is kept, and the next attach begins after it.
      if (index === 0) draft.refuse({ _tag: "FrameHole", expected: last + 1, got: frame.n })
      return
    }
    apply(draft, found.thread, found.turn, attemptId, frame)
  }
}

const late = (draft: Draft, attemptId: AttemptId, frames: ReadonlyArray<Frame>): void => {
  const thread = draft.session.threads.find((one) => one.ended?.attemptId === attemptId)
  if (thread === undefined || thread.ended!.lateRecorded) {
    if (draft.events.length === 0) draft.refuse({ _tag: "AttemptEnded", attemptId })
    return
  }
  const numbers = frames.map((frame) => frame.n)
  const [from, to] = [Math.min(...numbers), Math.max(...numbers)]
  draft.emit({ _tag: "FramesRefused", threadId: thread.threadId, attemptId, from, to })
}

const apply = (draft: Draft, thread: Thread, turn: Turn, attemptId: AttemptId, frame: Frame): void => {
  const { body, n } = frame
  const { threadId } = thread
  const { turnId } = turn
  const at = { threadId, turnId, attemptId, frame: n }
  const violate = (detail: string): never => draft.refuse({ _tag: "ProtocolViolation", frame: n, detail })
  const call = (callId: string): Call =>
    turn.calls.find((one) => one.callId === callId) ?? violate(`there is no open call ${callId}`)

  switch (body._tag) {
    case "ModelRequestStarted":
      if (turn.requests.some((one) => one.requestId === body.requestId)) violate("the request has started before")
      draft.emit({ ...body, ...at })
      return
    case "ModelRequestEnded":
      if (!turn.requests.some((one) => one.requestId === body.requestId)) violate("the request is not open")
      draft.emit({ ...body, ...at })
      return
    case "ToolRequested": {
      if (turn.calls.some((one) => one.callId === body.callId)) violate("the call was requested before")
      const granted = body.awaits === "confirmation" && draft.session.grants.includes(body.name)
      draft.emit({ ...body, ...(granted ? { awaits: "nothing" as const } : {}), ...at })
      return
    }
    case "ToolStarted": {
      const { awaits, executor, status } = call(body.callId)
      if (awaits !== "nothing") violate(`the call awaits ${awaits}`)
      if (executor === "client" || executor === "worker") violate("the call is not the runner's to make")
      if (status !== "requested" && status !== "approved") violate(`the call is ${status}`)
      draft.emit({ ...body, ...at })
      return
    }
    case "ToolFinished": {
      const { executor, status } = call(body.callId)
      if (executor === "client" || executor === "worker") violate("the call is not the runner's to finish")
      const ran = body.outcome === "succeeded" || body.outcome === "failed" || body.outcome === "timed_out"
      if (ran && status !== "started") violate(`the call is ${status}, it did not run`)
      draft.emit({ ...body, ...at })
      return
    }
    case "SteerTaken": {
      const steer = turn.steers.find((one) => one.inputId === body.inputId)
      if (steer === undefined) return violate("there is no such steer")
      const { content, inputId } = steer
      draft.emit({ _tag: "MessageTaken", ...at, inputId, content, at: draft.at })
      return
    }
    case "MessageBlock":
    case "ThinkingBlock":
    case "ContextCompacted":
    case "WorkingCopyCaptured":
    case "WorkingCopyRewound":
      draft.emit({ ...body, ...at } as SessionEvent)
      return
    case "Troubled":
      draft.emit({ _tag: "AttemptTroubled", ...at, error: body.error, retryStatus: body.retryStatus })
      return
    case "SandboxCreated":
    case "SandboxLost":
    case "SandboxRestored":
    case "SandboxDestroyed":
      draft.emit(body)
      break
    case "TitleSuggested":
      if (draft.session.title === null) draft.emit({ _tag: "SessionUpdated", title: body.title, at: draft.at })
      break
    case "Noted":
      draft.emit(body.event)
      break
    case "Suspended":
      closeCalls(draft, thread, turn, "attempt")
      draft.emit({ _tag: "TurnSuspended", ...at, reason: body.reason, at: draft.at })
      if (turn.interrupt !== null) interruptTurn(draft, draft.thread(threadId), null)
      return
    case "Interrupted":
      interruptTurn(draft, thread, n)
      return
    case "Completed":
      closeCalls(draft, thread, turn, "turn")
      draft.emit({ _tag: "TurnCompleted", ...at, stop: body.stop, details: body.details, at: draft.at })
      ended(draft, thread)
      return
    case "Failed": {
      const { error, retryAfterMs, retryable } = body
      draft.emit({
        _tag: "AttemptTroubled",
        ...at,
        error,
        retryStatus: retryable ? "retrying" : "terminal"
      })
      afterAttempt(draft, draft.thread(threadId), attemptId, { error, retryable, retryAfterMs })
      return
    }
  }
  // These events belong to the session and carry no frame: the mark moves by an event of its own.
  draft.emit({ _tag: "FrameNoted", ...at })
}

export const lose = (draft: Draft, command: CommandOf<"LoseAttempt">): void => {
  const { attemptId, reason } = command
  const found = working(draft, attemptId)
  if (found === undefined) return draft.refuse({ _tag: "AttemptEnded", attemptId })
  const { thread, turn } = found
  draft.emit({ _tag: "AttemptLost", threadId: thread.threadId, turnId: turn.turnId, attemptId, reason, at: draft.at })
  afterAttempt(draft, draft.thread(thread.threadId), attemptId, {
    error: { code: "runner_lost", message: `The attempt was lost: ${reason}` },
    retryable: true,
    retryAfterMs: null
  })
}
