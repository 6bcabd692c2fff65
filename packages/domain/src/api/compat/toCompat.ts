import { EventId, fromUuid, fromWords, prefixes, type ThreadId, toUuid, toWords } from "../../Ids.ts"
import type { JsonObject } from "../../Json.ts"
import { contractErrorOf, contractStopOf } from "../../session/Contract.ts"
import type { EventOf, SessionEvent } from "../../session/SessionEvent.ts"
import type { ErrorInfo, StopReason } from "../../session/Status.ts"
import type { CompatEvent } from "../Events.ts"
import { timeOfMicros } from "../Page.ts"
import { contentOut } from "./content.ts"
import { budgetOut, usageOut } from "./money.ts"
import { sessionAgentOf } from "./snapshot.ts"

/** An event as the log has it. */
export interface Logged {
  readonly eventId: string
  /** Microseconds since 1970. */
  readonly recordedAt: number
  readonly event: SessionEvent
}

/** What is true of a session from its opening on: an event need not repeat it. */
export interface Surroundings {
  readonly primary: ThreadId
  readonly agentName: string
  /** That another thread than the session's own is shown, by itself: `primary` is that one then. */
  readonly isChild?: boolean
}

/** Another id for each further event that one event of the log stands for: always the same one. */
const derived = (eventId: string, index: number): string => {
  const words = toWords(eventId)
  if (index === 0 || words === undefined) return eventId
  const [a, b, c, d] = words
  return fromWords(prefixes.Event, a, b, c, (d ^ Math.imul(index, 0x9e37_79b1)) >>> 0)
}

const ofRequest = (requestId: string): string => fromUuid(prefixes.Event, toUuid(requestId)!)

/** Errors of the surroundings: the turn goes on with them, so no other event tells of them. */
const aside = /^(mcp|credential|repository)_/

const errorOut = ({ code, details, message }: ErrorInfo, status: "retrying" | "exhausted" | "terminal"): JsonObject => {
  const type = contractErrorOf({ code })
  // Our own word is told beside the contract's where that says less.
  const own = type === code || type === `${code}_error` ? {} : { troupe: { code } }
  return { ...details, type, message, retry_status: { type: status }, ...own }
}

const stopOut = (stop: StopReason | null): JsonObject => {
  const { troupe, ...told } = contractStopOf(stop ?? { type: "end_turn" })
  return troupe === null ? told : { ...told, troupe }
}

type Draft = JsonObject & { readonly type: string; readonly id?: string }

const statusDrafts = (event: EventOf<"StatusChanged">, around: Surroundings): ReadonlyArray<Draft> => {
  const { agentName, isChild = false, primary } = around
  const { budget, session, totals } = event
  const threads = isChild ? event.threads.filter(({ threadId }) => threadId === primary) : event.threads
  const ofThreads = threads.map(({ name, status, stop, threadId }): Draft => {
    const thread = { session_thread_id: threadId, agent_name: name === "primary" ? agentName : name }
    return status === "idle"
      ? { type: "session.thread_status_idle", ...thread, ...stopOut(stop) }
      : { type: `session.thread_status_${status === "rescheduling" ? "rescheduled" : status}`, ...thread }
  })
  if (session === null || isChild) return ofThreads
  switch (session.status) {
    case "running":
      return [{ type: "session.status_running" }, ...ofThreads]
    case "rescheduling":
      return [...ofThreads, { type: "session.status_rescheduled" }]
    case "terminated":
      return [...ofThreads, { type: "session.status_terminated" }]
    case "idle": {
      const usage: Draft = {
        type: "session.usage",
        usage: usageOut(totals) as JsonObject,
        budget: budgetOut(budget) as JsonObject | null
      }
      return [...ofThreads, usage, { type: "session.status_idle", ...stopOut(session.stop) }]
    }
  }
}

const toolUse = (event: EventOf<"ToolRequested">, session_thread_id: JsonObject): Draft => {
  const { awaits, callId: id, executor, name, ownName = name, server, verdict } = event
  const input = (
    typeof event.input === "object" && event.input !== null ? event.input : { input: event.input }
  ) as JsonObject
  const use = { id, name, input, ...session_thread_id }
  if (executor === "client" || awaits === "answer") return { type: "agent.custom_tool_use", ...use }
  const permission = { evaluated_permission: verdict.permission }
  return executor === "mcp"
    ? { type: "agent.mcp_tool_use", mcp_server_name: server ?? "", ...use, name: ownName, ...permission }
    : { type: "agent.tool_use", ...use, ...permission }
}

const toolResult = ({ callId, content, executor, isError, outcome }: EventOf<"ToolFinished">): Draft => {
  const result = { content: contentOut(content), is_error: isError }
  // Workers make every call that no `user.tool_result` answers, whatever else was said of it.
  if (executor === "worker" && outcome !== "denied") return { type: "user.tool_result", tool_use_id: callId, ...result }
  return executor === "mcp"
    ? { type: "agent.mcp_tool_result", mcp_tool_use_id: callId, ...result }
    : { type: "agent.tool_result", tool_use_id: callId, ...result }
}

const confirmation = ({ callId, decision, inputId }: EventOf<"ToolConfirmed">): ReadonlyArray<Draft> => {
  if (inputId === null || decision.type === "expired") return []
  const confirmed = { type: "user.tool_confirmation", id: inputId, tool_use_id: callId }
  if (decision.type !== "deny") return [{ ...confirmed, result: "allow" }]
  return [{ ...confirmed, result: "deny", ...(decision.message === null ? {} : { deny_message: decision.message }) }]
}

const interrupts = (inputIds: ReadonlyArray<string>): ReadonlyArray<Draft> =>
  inputIds.map((id) => ({ type: "user.interrupt", id }))

const updated = (event: EventOf<"SessionUpdated">): ReadonlyArray<Draft> => {
  const { metadata, title } = event
  if (title === undefined && metadata === undefined) return []
  return [
    {
      type: "session.updated",
      ...(title === undefined ? {} : { title }),
      ...(metadata === undefined ? {} : { metadata })
    }
  ]
}

/** Said by one thread to another: shown to each of them where it is theirs. */
const received = ({ content, inputId }: EventOf<"MessageTaken">, from_session_thread_id: ThreadId): Draft => ({
  type: "agent.thread_message_received",
  id: inputId,
  from_session_thread_id,
  content: contentOut(content)
})

const sent = ({ content, threadId: to_session_thread_id }: EventOf<"ThreadMessaged">): Draft => ({
  type: "agent.thread_message_sent",
  to_session_thread_id,
  content: contentOut(content)
})

const drafts = (event: SessionEvent, around: Surroundings): ReadonlyArray<Draft> => {
  switch (event._tag) {
    case "MessageTaken":
      return event.from === undefined
        ? [{ type: "user.message", id: event.inputId, content: contentOut(event.content) }]
        : [received(event, event.from)]
    case "SystemMessageReceived":
      return [{ type: "system.message", id: event.inputId, content: contentOut(event.content) }]
    case "InterruptRequested":
      return event.turnId === null ? interrupts([event.inputId]) : []
    case "TurnInterrupted":
    case "TurnCompleted":
      return interrupts(event.inputIds)
    case "ToolConfirmed":
      return confirmation(event)
    case "ToolAnswered": {
      const result = { content: contentOut(event.content), is_error: event.isError }
      return event.executor === "worker"
        ? [{ type: "user.tool_result", id: event.inputId, tool_use_id: event.callId, ...result }]
        : [{ type: "user.custom_tool_result", id: event.inputId, custom_tool_use_id: event.callId, ...result }]
    }
    case "QuestionAnswered": {
      const text = typeof event.answer === "string" ? event.answer : JSON.stringify(event.answer)
      const content = [{ type: "text", text }]
      const { callId: custom_tool_use_id, inputId: id } = event
      return [{ type: "user.custom_tool_result", id, custom_tool_use_id, content, is_error: false }]
    }
    case "OutcomeDefined": {
      const { description, inputId: id, maxIterations: max_iterations, outcomeId: outcome_id, rubric } = event
      return [{ type: "user.define_outcome", id, outcome_id, description, rubric, max_iterations }]
    }
    case "MessageBlock":
      return [{ type: "agent.message", id: event.blockId, content: contentOut(event.content) }]
    case "ThinkingBlock":
      return [{ type: "agent.thinking", id: event.blockId }]
    case "ToolRequested":
      return [toolUse(event, {})]
    case "ToolFinished":
      return [toolResult(event)]
    case "ModelRequestStarted":
      return [{ type: "span.model_request_start", id: ofRequest(event.requestId) }]
    case "ModelRequestEnded": {
      const { usage } = event
      const model_usage = {
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        cache_creation_input_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
        cache_read_input_tokens: usage.cacheReadTokens
      }
      const model_request_start_id = ofRequest(event.requestId)
      const is_error = event.outcome !== "succeeded"
      return [{ type: "span.model_request_end", model_request_start_id, is_error, model_usage }]
    }
    case "ContextCompacted":
      return [{ type: "agent.thread_context_compacted" }]
    case "StatusChanged":
      return statusDrafts(event, around)
    case "TurnFailed":
      return [{ type: "session.error", error: errorOut(event.error, event.retryStatus) }]
    case "RetryAsked":
      return [{ type: "session.error", error: errorOut(event.error, "exhausted") }]
    case "AttemptTroubled":
      // How an attempt ended that takes the turn with it is said by the event that says so of the turn.
      return event.retryStatus === "retrying" || aside.test(event.error.code)
        ? [{ type: "session.error", error: errorOut(event.error, event.retryStatus) }]
        : []
    case "ThreadOpened": {
      const { name: agent_name, threadId: session_thread_id } = event
      return [{ type: "session.thread_created", session_thread_id, agent_name, workflow_run_id: null }]
    }
    case "SessionUpdated":
      return updated(event)
    case "AgentReconfigured": {
      const agent = sessionAgentOf(event.changes)
      return agent === null ? [] : [{ type: "session.updated", agent: agent as JsonObject }]
    }
    case "BudgetChanged":
      return [{ type: "session.updated", budget: budgetOut(event.budget) as JsonObject | null }]
    case "PoliciesChanged":
      return [{ type: "session.updated", troupe: { policies: event.policies } }]
    case "SessionDeleted":
      return [{ type: "session.deleted" }]
    default:
      return []
  }
}

/** Tags of the log's events that clients of the compatible API may see something of. */
export const shownTags = [
  "MessageTaken",
  "ThreadMessaged",
  "SystemMessageReceived",
  "InterruptRequested",
  "TurnInterrupted",
  "TurnCompleted",
  "ToolConfirmed",
  "ToolAnswered",
  "QuestionAnswered",
  "OutcomeDefined",
  "MessageBlock",
  "ThinkingBlock",
  "ToolRequested",
  "ToolFinished",
  "ModelRequestStarted",
  "ModelRequestEnded",
  "ContextCompacted",
  "StatusChanged",
  "TurnFailed",
  "RetryAsked",
  "AttemptTroubled",
  "ThreadOpened",
  "SessionUpdated",
  "AgentReconfigured",
  "BudgetChanged",
  "PoliciesChanged",
  "SessionDeleted"
] as const satisfies ReadonlyArray<SessionEvent["_tag"]>

/** Whether it is for the readers of a thread that is shown by itself: what is the session's is not, but for its end. */
const isOfThread = (event: SessionEvent, threadId: ThreadId): boolean => {
  if (event._tag === "StatusChanged" || event._tag === "SessionDeleted") return true
  if (event._tag === "ThreadMessaged") return event.fromThreadId === threadId
  return event._tag !== "ThreadOpened" && "threadId" in event && event.threadId === threadId
}

/** What belongs to another thread is on that thread's own stream; calls that wait for somebody are on both. */
const elsewhere = (event: SessionEvent, { isChild, primary }: Surroundings): ReadonlyArray<Draft> | null => {
  if (isChild === true && !isOfThread(event, primary)) return []
  if (event._tag === "ThreadMessaged") return event.fromThreadId === primary ? [sent(event)] : []
  if (event._tag === "ThreadOpened" || !("threadId" in event)) return null
  if (event.threadId === null || event.threadId === primary) return null
  if (event._tag === "ToolRequested" && event.awaits !== "nothing") {
    return [toolUse(event, { session_thread_id: event.threadId })]
  }
  const closed = event._tag === "ToolFinished" && event.executor === "worker"
  return event._tag === "ToolConfirmed" || event._tag === "ToolAnswered" || closed
    ? drafts(event, { primary, agentName: "" }).map((draft) => ({ ...draft, session_thread_id: event.threadId }))
    : []
}

/**
 * What clients of the compatible API see of an event. It looks at nothing else, so that a list, a stream and a reader
 * who comes back a year later all see the same, under the same ids.
 */
export const toCompat = ({ event, eventId, recordedAt }: Logged, around: Surroundings): ReadonlyArray<CompatEvent> => {
  const processed_at = timeOfMicros(recordedAt)
  const shown = elsewhere(event, around) ?? drafts(event, around)
  return shown.map(({ id, type, ...rest }, index) => ({
    id: id ?? EventId.make(derived(eventId, index)),
    type,
    ...rest,
    processed_at
  }))
}
