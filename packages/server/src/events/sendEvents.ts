import { forbidden, invalid } from "@troupe/domain/api/ApiError"
import { contentOut } from "@troupe/domain/api/compat/content"
import { inputsOf } from "@troupe/domain/api/compat/inputs"
import { toCompat } from "@troupe/domain/api/compat/toCompat"
import type { CompatEvent } from "@troupe/domain/api/Events"
import { allows } from "@troupe/domain/api/Workspace"
import type { SessionId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { Input } from "@troupe/domain/session/Input"
import { Effect } from "effect"
import { Caller, Mint, statusOf } from "../gateway/Requests.ts"
import { command, stateOf } from "../sessions/SessionCalls.ts"
import { LoggedEvents } from "../sessions/LoggedEvents.ts"
import { type KnownSession, SessionReads } from "../sessions/SessionReads.ts"
import { WorkQueue } from "../work/WorkQueue.ts"
import { settleInputs } from "./settleInputs.ts"

const answering = new Set(["user.custom_tool_result", "user.tool_result"])

/** What calls still wait for: asked only where an answer may be one to a question. */
const awaitsOf = Effect.fnUntraced(function* (sessionId: SessionId, events: ReadonlyArray<JsonObject>) {
  if (!events.some(({ type }) => answering.has(String(type)))) return () => undefined
  const state = yield* stateOf(sessionId)
  const calls = state.threads.flatMap(({ turn }) => turn?.calls ?? [])
  return (callId: string) => calls.find((call) => call.callId === callId)?.awaits
})

/** An input that the session has not taken up yet, as it is echoed. */
const echo = (input: Input): CompatEvent => {
  const { inputId: id } = input
  switch (input._tag) {
    case "Message":
      return { id, type: "user.message", content: contentOut(input.content), processed_at: null }
    case "SystemMessage":
      return { id, type: "system.message", content: contentOut(input.content), processed_at: null }
    case "Interrupt":
      return { id, type: "user.interrupt", processed_at: null }
    case "Confirmation": {
      const { callId: tool_use_id, decision } = input
      const denied = decision.type === "deny"
      const reason = denied && decision.message !== null ? { deny_message: decision.message } : {}
      const result = denied ? "deny" : "allow"
      return { id, type: "user.tool_confirmation", tool_use_id, result, ...reason, processed_at: null }
    }
    case "ToolResult": {
      const { callId, content, executor, isError: is_error } = input
      const shown = { content: contentOut(content), is_error, processed_at: null }
      return executor === "worker"
        ? { id, type: "user.tool_result", tool_use_id: callId, ...shown }
        : { id, type: "user.custom_tool_result", custom_tool_use_id: callId, ...shown }
    }
    case "Answer":
      return { id, type: "user.custom_tool_result", custom_tool_use_id: input.callId, processed_at: null }
    case "Outcome": {
      const { description, maxIterations: max_iterations, outcomeId: outcome_id, rubric } = input
      return { id, type: "user.define_outcome", outcome_id, description, rubric, max_iterations, processed_at: null }
    }
  }
}

const send = Effect.fnUntraced(function* ({ around, id }: KnownSession, events: ReadonlyArray<JsonObject>) {
  const caller = yield* Caller
  const { bound, scopes } = caller
  const confirms = events.some(({ type }) => type === "user.tool_confirmation")
  if (confirms && !allows(scopes, "approve")) return yield* forbidden("This API key has no approve scope")
  if (bound?.type === "session" && bound.work_id !== undefined) {
    if (!events.every(({ type }) => answering.has(String(type)))) {
      return yield* forbidden("This token is for a worker: it sends the results of calls, and nothing else")
    }
    const { isHeld } = yield* WorkQueue
    if (!(yield* isHeld(bound.work_id, caller))) {
      return yield* forbidden("This worker's claim is over: the session belongs to the queue, or to another worker")
    }
  }
  const mint = yield* Mint
  const awaits = yield* awaitsOf(id, events)
  const inputs = yield* settleInputs(yield* Effect.fromResult(inputsOf(events, { mint, awaits })), "events")
  const { seq, written } = yield* command(id, { _tag: "Send", inputs })
  const { shownFrom } = yield* LoggedEvents
  const after = written ?? (yield* shownFrom(id, seq, 4 * inputs.length + 16))
  const stored = new Map(after.flatMap((logged) => toCompat(logged, around)).map((event) => [event.id, event]))
  return { seq, sent: inputs.map((input) => stored.get(input.inputId) ?? echo(input)) }
})

/** Fails where a session is gone or archived by now: that is what is wrong then, whatever else may be. */
const refusedAsEnded = Effect.fnUntraced(function* (sessionId: SessionId) {
  const { workspaceId } = yield* Caller
  const { find } = yield* SessionReads
  const { session } = yield* find(workspaceId, sessionId)
  if (session.archived_at !== null) {
    return yield* invalid(`Session ${sessionId} is archived and takes no more events.`)
  }
})

/**
 * Hands a session what a client sends, all of it or nothing, and answers with it as it is stored, and where the log stood
 * then. What has become of the session is only looked for where it was refused.
 */
export const sendEvents = Effect.fn("sendEvents")(function* (known: KnownSession, events: ReadonlyArray<JsonObject>) {
  return yield* Effect.catchTag(send(known, events), "ApiFailure", (failure) =>
    Effect.andThen(statusOf(failure) < 429 ? refusedAsEnded(known.id) : Effect.void, failure)
  )
})
