import type { Refusal } from "../../session/SessionCommand.ts"
import { ApiFailure, conflict, invalid, notFound } from "../ApiError.ts"

/** What a client reads when a session refuses its request. */
export const refusalOut = (sessionId: string, command: string, reason: Refusal): ApiFailure => {
  switch (reason._tag) {
    case "NotOpen":
      return notFound(`Session ${sessionId} was not found.`)
    case "AlreadyOpen":
      return conflict(`Session ${sessionId} exists already.`)
    case "Ended":
      return invalid(`Session ${sessionId} is archived and takes no more events.`)
    case "Busy":
      return invalid(busyText(sessionId, command))
    case "UnknownThread":
      return notFound(`Thread ${reason.threadId} was not found.`)
    case "UnknownTurn":
      return notFound(`Turn ${reason.turnId} was not found.`)
    case "TurnNotQueued":
      return conflict(`Turn ${reason.turnId} is no longer queued.`)
    case "StaleQueue":
      return conflict(`The queue is at version ${reason.actual}, not ${reason.expected}.`, reason.actual)
    case "QueueFull": {
      const message = `The session's queue holds ${reason.max} turns and is full.`
      return new ApiFailure({ type: "rate_limit_error", message, retryAfterMs: reason.retryAfterMs })
    }
    case "UnknownCall":
      return invalid(`Tool use ${reason.callId} was not found, or was answered before.`)
    case "CallNotAwaiting": {
      const owed = reason.awaits === "nothing" ? "waits for nothing" : `waits for a ${reason.awaits}`
      return invalid(`Tool use ${reason.callId} ${owed}.`)
    }
    case "BudgetReached":
      return invalid("The session has reached its budget: only confirmations, results and interrupts are taken.")
    case "BudgetNotRaised":
      return invalid("budget: the limit is not above what was used already", "budget_not_raised")
    case "BudgetCreateOnly":
      return invalid("budget: a budget can only be given when a session is created", "budget_create_only")
    case "NothingToRetry":
      return invalid("There is no failed turn to try again.")
    case "NothingToSteer":
      return invalid("No turn is running that a message could join.")
    case "UnknownResource":
      return notFound(`Resource ${reason.resourceId} was not found.`)
    case "TooManyThreads":
      return invalid(`A session has ${reason.max} open threads at most.`)
    case "TooManyResources":
      return invalid(`A session has ${reason.max} resources at most.`)
    case "UnknownTimer":
      return notFound(`Timer ${reason.timerId} was not found.`)
    case "UnknownSeq":
      return invalid(`The log has no event ${reason.seq}.`)
    case "IdTaken":
      return conflict(`${reason.id} is used already.`)
    case "Invalid":
      return invalid(`${reason.field}: ${reason.detail}`)
    case "AttemptEnded":
    case "NotDue":
    case "FrameHole":
    case "ProtocolViolation":
      return new ApiFailure({ type: "api_error", message: "The request could not be carried out." })
  }
}

const busyText = (sessionId: string, command: string): string => {
  switch (command) {
    case "Archive":
      return `Session ${sessionId} cannot be archived while its status is "running". Only pending or idle sessions may be archived.`
    case "Delete":
      return "Cannot delete session while it is running. Send an interrupt event or wait for the session to complete."
    default:
      return `Session ${sessionId} cannot be changed so while it is running. Wait until it is idle.`
  }
}
