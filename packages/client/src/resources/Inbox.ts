import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  Approval,
  ApprovalAnswer,
  ApprovalListQuery,
  InboxAnswered,
  Question,
  QuestionListQuery,
  SessionInboxQuery
} from "../types/api.ts"
import type { Json } from "../types/events.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Calls of all sessions that wait to be allowed. */
export class Approvals extends Resource {
  list(query?: ApprovalListQuery, options?: CallOptions): Pages<Approval> {
    return list(this.transport, "/v1/approvals", query, options)
  }

  answer(callId: string, body: ApprovalAnswer, options?: CallOptions): Call<InboxAnswered> {
    return this.post(path`/v1/approvals/${callId}`, body, options)
  }
}

/** Calls of all sessions that wait for a person's answer. */
export class Questions extends Resource {
  list(query?: QuestionListQuery, options?: CallOptions): Pages<Question> {
    return list(this.transport, "/v1/questions", query, options)
  }

  answer(callId: string, answer: Json, options?: CallOptions): Call<InboxAnswered> {
    return this.post(path`/v1/questions/${callId}`, { answer }, options)
  }
}

/** Calls of one session that wait to be allowed. */
export class SessionApprovals extends Resource {
  list(sessionId: string, query?: SessionInboxQuery, options?: CallOptions): Pages<Approval> {
    return list(this.transport, path`/v1/sessions/${sessionId}/approvals`, query, options)
  }

  answer(sessionId: string, callId: string, body: ApprovalAnswer, options?: CallOptions): Call<InboxAnswered> {
    return this.post(path`/v1/sessions/${sessionId}/approvals/${callId}`, body, options)
  }
}

/** Calls of one session that wait for a person's answer. */
export class SessionQuestions extends Resource {
  list(sessionId: string, query?: SessionInboxQuery, options?: CallOptions): Pages<Question> {
    return list(this.transport, path`/v1/sessions/${sessionId}/questions`, query, options)
  }

  answer(sessionId: string, callId: string, answer: Json, options?: CallOptions): Call<InboxAnswered> {
    return this.post(path`/v1/sessions/${sessionId}/questions/${callId}`, { answer }, options)
  }
}
