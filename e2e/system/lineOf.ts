import { stepsOf } from "@troupe/domain/session/Plan"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"

const shownMax = 160

const cut = (words: string): string => {
  const line = words.trim().split("\n").join(" ⏎ ")
  return line.length > shownMax ? `${line.slice(0, shownMax)} …` : line
}

const textOf = (event: SessionEvent): string =>
  "content" in event && Array.isArray(event.content)
    ? cut(event.content.flatMap((block) => (block.type === "text" ? [block.text.trim()] : [])).join("\n"))
    : ""

/** What an event says of itself, in a line; nothing for what only keeps the books. */
export const lineOf = (event: SessionEvent): string | null => {
  switch (event._tag) {
    case "MessageTaken":
      return `message: ${textOf(event)}`
    case "AttemptStarted":
      return `attempt ${event.number} starts: ${event.attemptId}`
    case "SandboxCreated":
      return `sandbox ${event.sandboxId} (${event.backend})`
    case "ToolRequested":
      return `asked for ${event.name}, ${event.verdict.permission}: ${JSON.stringify(event.input)}`
    case "ToolStarted":
      return `call ${event.callId} starts`
    case "ToolFinished":
      return `call ${event.callId} ${event.outcome}: ${textOf(event)}`
    case "SubagentStarted":
      return `sub-agent ${event.subagentId} (${event.name}) works for ${event.callId}: ${event.task}`
    case "SubagentEnded":
      return `sub-agent ${event.subagentId} ${event.outcome}: ${cut(event.summary ?? "")}`
    case "MessageBlock":
      return `assistant${event.partial ? ", cut off" : ""}: ${textOf(event)}`
    case "ToolConfirmed":
      return `a person says ${event.decision.type} to ${event.callId}`
    case "QuestionAnswered":
      return `a person answers ${JSON.stringify(event.answer)}`
    case "TurnSuspended":
      return `the turn waits: ${event.reason}`
    case "TurnWaiting":
      return `the turn waits: ${event.reason}`
    case "TurnCompleted":
      return event.stop === "end_turn" ? event._tag : `${event._tag}: ${event.stop}`
    case "AttemptTroubled":
      return `in trouble: ${event.error.message}`
    case "ModelRequestEnded":
      return event.outcome === "succeeded" ? null : `the model's request ${event.outcome}`
    case "ContextCompacted":
      return `summed up: ${event.tokensBefore} tokens became ${event.tokensAfter}`
    case "TurnFailed":
      return `the turn failed: ${event.error.message}`
    case "PlanUpdated":
      return `the plan: ${stepsOf(event.items)
        .map(({ status, step }) => `${step} (${status})`)
        .join(", ")}`
    case "WorkingCopyCaptured":
      return event.changes === undefined
        ? event._tag
        : `changed ${event.changes.files} files, +${event.changes.added} −${event.changes.deleted}`
    case "AttemptLost":
    case "TurnRescheduled":
    case "TurnInterrupted":
    case "TurnRetried":
    case "TurnEdited":
    case "TurnMoved":
    case "TurnWithdrawn":
    case "BudgetReached":
    case "BudgetChanged":
    case "SessionPaused":
    case "SessionResumed":
      return event._tag
    default:
      return null
  }
}
