import type { EventId } from "@troupe/domain/Ids"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"

/** The last checkpoint of a working copy, and what was done to it since. */
export interface Checkpoint {
  readonly last: (typeof RunRequest.Type)["checkpoint"]
  /** Calls that change what is in the sandbox, as far as is known before they run. */
  readonly changing: ReadonlySet<EventId>
  readonly running: ReadonlySet<EventId>
}

export const initial: Checkpoint = { last: null, changing: new Set(), running: new Set() }

/** What the next event makes of it. A call that runs while the working copy is captured may be in it by half. */
export const apply = (state: Checkpoint, seq: number, event: SessionEvent): Checkpoint => {
  const { changing, last, running } = state
  switch (event._tag) {
    case "SessionOpened": {
      const left = event.origin.type === "fork" ? event.origin.checkpoint : undefined
      return left === undefined ? state : { ...state, last: { ...left, seq } }
    }
    case "ToolRequested":
      return event.executor === "sandbox" && !event.readOnly
        ? { ...state, changing: new Set(changing).add(event.callId) }
        : state
    case "ToolStarted": {
      const { callId } = event
      if (!changing.has(callId)) return state
      const lacking = last === null ? null : { ...last, lacks: [...last.lacks, callId] }
      return { ...state, last: lacking, running: new Set(running).add(callId) }
    }
    case "ToolFinished":
    case "ToolAnswered": {
      const left = (calls: ReadonlySet<EventId>) => new Set([...calls].filter((one) => one !== event.callId))
      return changing.has(event.callId) ? { ...state, changing: left(changing), running: left(running) } : state
    }
    case "WorkingCopyCaptured":
      return { ...state, last: { checkpoint: event.checkpoint, seq, lacks: [...running] } }
    // It is as it was captured, and the model has been told what is gone.
    case "WorkingCopyRewound":
      return last === null ? state : { ...state, last: { ...last, lacks: [...running] } }
    default:
      return state
  }
}
