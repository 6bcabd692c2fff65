import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId, EventId, SessionId } from "../Ids.ts"
import { Json, JsonObject } from "../Json.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { anyFailure } from "./ApiError.ts"
import { Name, Text } from "./Common.ts"
import { Page, pageQuery } from "./Page.ts"

const asked = {
  /** The call's: what events and confirmations name it by. */
  id: EventId,
  session_id: SessionId,
  session_title: Schema.NullOr(Schema.String),
  agent_id: AgentId,
  thread_id: Schema.String,
  turn_id: Schema.String,
  tool: Schema.String,
  server: Schema.NullOr(Schema.String),
  /** Where in the log it was asked. */
  seq: Schema.Int,
  asked_at: Schema.String,
  expires_at: Schema.NullOr(Schema.String)
}

/** A call that waits to be allowed. */
export const Approval = Schema.Struct({
  type: Schema.Literal("approval"),
  ...asked,
  executor: Schema.String,
  /** What it would run with, and the SHA-256 of it as canonical JSON. Null once redacted. */
  input: Json,
  input_digest: Schema.String,
  /** Why the policies ask, and which rule of theirs. */
  reason: Schema.NullOr(Schema.String),
  rule: Schema.String
}).annotate({ identifier: "Approval" })
export type Approval = typeof Approval.Type

/** A call that waits for a person's answer. */
export const Question = Schema.Struct({
  type: Schema.Literal("question"),
  ...asked,
  /** What is asked, and which answers there are. */
  question: Schema.NullOr(JsonObject)
}).annotate({ identifier: "Question" })
export type Question = typeof Question.Type

const query = {
  ...pageQuery,
  order: Schema.optionalKey(Schema.Literals(["asc", "desc"])),
  session_id: Schema.optionalKey(SessionId),
  agent_id: Schema.optionalKey(AgentId),
  tool: Schema.optionalKey(Name(256))
}
const { session_id: _, agent_id: __, ...ofSession } = query

const lists = <const Item extends Schema.Top>(item: Item) => ({ success: Page(item), error: anyFailure })

export const approvals = HttpApiEndpoint.get("listApprovals", "/v1/approvals", { query, ...lists(Approval) })
export const questions = HttpApiEndpoint.get("listQuestions", "/v1/questions", { query, ...lists(Question) })
export const sessionApprovals = HttpApiEndpoint.get("listSessionApprovals", "/v1/sessions/:id/approvals", {
  params: { id: SessionId },
  query: ofSession,
  ...lists(Approval)
})
export const sessionQuestions = HttpApiEndpoint.get("listSessionQuestions", "/v1/sessions/:id/questions", {
  params: { id: SessionId },
  query: ofSession,
  ...lists(Question)
})

/** The SHA-256, as canonical JSON, of the arguments that whoever decides has seen: others are not what is allowed. */
const input_digest = Schema.optionalKey(Sha256Hex)

export const ApprovalAnswer = Schema.Union([
  Schema.Struct({
    result: Schema.Literal("allow"),
    /** `session`: every later call of this tool as well. */
    scope: Schema.optionalKey(Schema.Literals(["once", "session"])),
    input_digest
  }),
  /** It runs with these arguments in the place of its own. */
  Schema.Struct({ result: Schema.Literal("allow"), input: JsonObject, input_digest }),
  Schema.Struct({ result: Schema.Literal("deny"), message: Schema.optionalKey(Schema.NullOr(Text(10_000))) })
])
export type ApprovalAnswer = typeof ApprovalAnswer.Type

const answers = { payload: ApprovalAnswer, error: anyFailure }
const Answered = Schema.Struct({
  id: EventId,
  type: Schema.Literals(["approval_answered", "question_answered"]),
  session_id: SessionId,
  /** The event that the answer became. */
  event_id: Schema.String
})
export type Answered = typeof Answered.Type

const call = { call: EventId }
export const answerApproval = HttpApiEndpoint.post("answerApproval", "/v1/approvals/:call", {
  params: call,
  success: Answered,
  ...answers
})
export const answerSessionApproval = HttpApiEndpoint.post("answerSessionApproval", "/v1/sessions/:id/approvals/:call", {
  params: { id: SessionId, ...call },
  success: Answered,
  ...answers
})

const QuestionAnswer = Schema.Struct({ answer: Json })
export const answerQuestion = HttpApiEndpoint.post("answerQuestion", "/v1/questions/:call", {
  params: call,
  payload: QuestionAnswer,
  success: Answered,
  error: anyFailure
})
export const answerSessionQuestion = HttpApiEndpoint.post("answerSessionQuestion", "/v1/sessions/:id/questions/:call", {
  params: { id: SessionId, ...call },
  payload: QuestionAnswer,
  success: Answered,
  error: anyFailure
})

export const group = HttpApiGroup.make("inbox").add(
  approvals,
  questions,
  sessionApprovals,
  sessionQuestions,
  answerApproval,
  answerSessionApproval,
  answerQuestion,
  answerSessionQuestion
)
