import type { answers, workEvents } from "../events/work.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { Call, OpenSession, Turn } from "../SessionState.ts"
import { searchesIn } from "../Searches.ts"
import { addSearches, addUsage } from "../Usage.ts"
import { awaitsOnceAllowed, grantKey } from "../standing.ts"
import { type Changes, count, marked, onCall, onFrame, onTurn, turnOf, withoutCall } from "./parts.ts"

const requested = (event: EventOf<"ToolRequested">): Call => ({
  callId: event.callId,
  name: event.name,
  server: event.server,
  executor: event.executor,
  readOnly: event.readOnly,
  idempotent: event.idempotent,
  awaits: event.awaits,
  question: event.question,
  status:
    event.verdict.permission === "deny"
      ? "denied"
      : // The policy says to ask, and nobody is asked: somebody allowed it for the whole session.
        event.verdict.permission === "ask" && event.awaits !== "confirmation"
        ? "approved"
        : "requested",
  message: event.verdict.reason,
  inputDigest: event.inputDigest,
  editedInput: null,
  expiresAt: event.expiresAt,
  ...(event.within === undefined ? {} : { within: event.within })
})

const confirmed = (call: Call, decision: EventOf<"ToolConfirmed">["decision"]): Call => {
  switch (decision.type) {
    case "deny":
      return { ...call, awaits: "nothing", expiresAt: null, status: "denied", message: decision.message }
    case "expired":
      return { ...call, awaits: "nothing", expiresAt: null, status: "expired" }
    case "allow_once":
    case "allow_session":
    case "allow_edited":
      return {
        ...call,
        awaits: awaitsOnceAllowed(call.executor),
        expiresAt: null,
        status: "approved",
        ...(decision.type === "allow_edited" ? { inputDigest: decision.inputDigest, editedInput: decision.input } : {})
      }
  }
}

/** What our own tools looked up in the web has a price. Counted once: by then the call is open, and never again. */
const searched = (session: OpenSession, { callId, details, threadId }: EventOf<"ToolFinished">): OpenSession => {
  const call = turnOf(session, threadId)?.calls.find((one) => one.callId === callId)
  const searches = searchesIn(call?.executor, details)
  return searches === 0 ? session : count(session, threadId, (totals) => addSearches(totals, searches))
}

const granted = (session: OpenSession, { callId, threadId }: EventOf<"ToolConfirmed">): OpenSession => {
  const call = turnOf(session, threadId)?.calls.find((one) => one.callId === callId)
  return call === undefined || session.grants.includes(grantKey(call))
    ? session
    : { ...session, grants: [...session.grants, grantKey(call)] }
}

const answered = (session: OpenSession, event: EventOf<"ToolAnswered"> | EventOf<"QuestionAnswered">): OpenSession =>
  onTurn(session, event.threadId, (turn) => withoutCall(turn, event.callId))

const told = (session: OpenSession, event: EventOf<"QuestionAnswered">): OpenSession => {
  const { answer, callId, threadId } = event
  const within = turnOf(session, threadId)?.calls.find((call) => call.callId === callId)?.within
  if (within === undefined) return answered(session, event)
  return onTurn(session, threadId, (turn) => ({
    ...withoutCall(turn, callId),
    answers: [...(turn.answers ?? []), { callId, within, answer }]
  }))
}

/** Nobody waits for answers to what a call asked once the call is over. */
const withoutAnswers = (turn: Turn, within: string): Turn =>
  turn.answers === undefined ? turn : { ...turn, answers: turn.answers.filter((one) => one.within !== within) }

export const work: Changes<keyof typeof workEvents | keyof typeof answers> = {
  ModelRequestStarted: (session, event) =>
    onFrame(session, event, (turn) => ({
      ...turn,
      requests: [...turn.requests, { requestId: event.requestId, estimate: event.estimate }]
    })),
  ModelRequestEnded: (session, event) =>
    onTurn({ ...session, totals: addUsage(session.totals, event.usage) }, event.threadId, (turn) =>
      marked(
        {
          ...turn,
          totals: addUsage(turn.totals, event.usage),
          requests: turn.requests.filter((one) => one.requestId !== event.requestId)
        },
        event.frame
      )
    ),
  SubagentStarted: (session, event) =>
    onFrame(session, event, (turn) => {
      const { callId, subagentId } = event
      return { ...turn, subagents: [...turn.subagents, { subagentId, callId }] }
    }),
  SubagentEnded: (session, event) =>
    onFrame(session, event, (turn) => ({
      ...turn,
      subagents: turn.subagents.filter(({ subagentId }) => subagentId !== event.subagentId)
    })),
  MessageBlock: (session, event) => onFrame(session, event),
  ThinkingBlock: (session, event) => onFrame(session, event),
  ContextCompacted: (session, event) => onFrame(session, event),
  WorkingCopyRewound: (session, event) => onFrame(session, event),
  WorkingCopyCaptured: (session, event) => ({ ...onFrame(session, event), checkpoint: event.checkpoint }),
  ToolRequested: (session, event) =>
    onFrame(session, event, (turn) => ({ ...turn, calls: [...turn.calls, requested(event)] })),
  ToolStarted: (session, event) =>
    onFrame(
      onCall(
        count(session, event.threadId, (totals) => ({ ...totals, toolCalls: totals.toolCalls + 1 })),
        event.threadId,
        event.callId,
        (call) => ({ ...call, status: "started" })
      ),
      event
    ),
  ToolFinished: (session, event) =>
    onFrame(searched(session, event), event, (turn) => {
      const call = turn.calls.find((one) => one.callId === event.callId)
      if (call === undefined) return turn
      const doubtful = event.outcome === "unknown" && !call.idempotent && !call.readOnly
      const next = withoutAnswers(withoutCall(turn, event.callId), event.callId)
      return doubtful ? { ...next, doubts: [...next.doubts, event.callId] } : next
    }),
  ToolConfirmed: (session, event) =>
    onCall(
      event.decision.type === "allow_session" ? granted(session, event) : session,
      event.threadId,
      event.callId,
      (call) => confirmed(call, event.decision)
    ),
  ToolAnswered: answered,
  QuestionAnswered: told
}
