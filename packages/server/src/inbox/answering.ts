import { conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import type { ApprovalAnswer } from "@troupe/domain/api/Inbox"
import { canonical } from "@troupe/domain/CanonicalJson"
import { EventId, type SessionId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Decision, Input } from "@troupe/domain/session/Input"
import { Effect } from "effect"
import { hash } from "node:crypto"
import { Mint } from "../gateway/Requests.ts"
import { command, stateOf } from "../sessions/SessionCalls.ts"
import type { SessionView } from "../sessions/SessionView.ts"

const changed = conflict("input_digest: these are not the arguments that the call would run with")

/** The arguments of a call that waits, by their hash. */
const digestOf = Effect.fnUntraced(function* (sessionId: SessionId, callId: EventId) {
  const state = yield* stateOf(sessionId)
  const calls = state.threads.flatMap(({ turn }) => turn?.calls ?? [])
  const call = calls.find((one) => one.callId === callId)
  return call === undefined ? yield* notFound(`${callId} was not found, or was answered before.`) : call.inputDigest
})

const decisionOf = Effect.fnUntraced(function* (sessionId: SessionId, callId: EventId, answer: ApprovalAnswer) {
  if (answer.result === "deny") return { type: "deny", message: answer.message ?? null } satisfies Decision
  const { input_digest } = answer
  if ("input" in answer) {
    const { input } = answer
    const inputDigest = hash("sha256", canonical(input), "hex")
    if (input_digest !== undefined && input_digest !== inputDigest) return yield* changed
    return { type: "allow_edited", input, inputDigest } satisfies Decision
  }
  if (input_digest !== undefined && input_digest !== (yield* digestOf(sessionId, callId))) return yield* changed
  return { type: answer.scope === "session" ? "allow_session" : "allow_once" } satisfies Decision
})

const send = Effect.fnUntraced(function* (
  { session }: SessionView,
  callId: EventId,
  inputOf: (inputId: EventId) => Input
) {
  if (session.archived_at !== null) return yield* invalid(`Session ${session.id} is archived and takes no answers.`)
  const mint = yield* Mint
  const inputId = EventId.make(mint("Event", callId))
  yield* command(session.id, { _tag: "Send", inputs: [inputOf(inputId)] })
  return { id: callId, session_id: session.id, event_id: inputId }
})

/** Allows or denies a call that waits. */
export const answerApproval = Effect.fn("answerApproval")(function* (
  view: SessionView,
  callId: EventId,
  answer: ApprovalAnswer
) {
  const decision = yield* decisionOf(view.session.id, callId, answer)
  const sent = yield* send(view, callId, (inputId) => ({ _tag: "Confirmation", inputId, callId, decision }))
  return { ...sent, type: "approval_answered" as const }
})

/** Answers a question. What is no answer to it is refused with what would be. */
export const answerQuestion = Effect.fn("answerQuestion")(function* (view: SessionView, callId: EventId, answer: Json) {
  const sent = yield* send(view, callId, (inputId) => ({ _tag: "Answer", inputId, callId, answer }))
  return { ...sent, type: "question_answered" as const }
})
