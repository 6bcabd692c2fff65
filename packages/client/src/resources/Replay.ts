import { Call } from "../http/Call.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  DiffQuery,
  OutputQuery,
  SessionCause,
  SessionDiff,
  SessionModelRequest,
  SessionStateAt,
  SessionVerification,
  StateQuery,
  VerifyQuery
} from "../types/api.ts"
import { Resource } from "./Resource.ts"

/** What a session was at any place of its log, why, and whether that is so. */
export class Replay extends Resource {
  state(sessionId: string, query?: StateQuery, options?: CallOptions): Call<SessionStateAt> {
    return this.get(path`/v1/sessions/${sessionId}/state`, query, options)
  }

  diff(sessionId: string, query: DiffQuery, options?: CallOptions): Call<SessionDiff> {
    return this.get(path`/v1/sessions/${sessionId}/diff`, query, options)
  }

  /** What led to an event. */
  why(sessionId: string, seq: number, options?: CallOptions): Call<SessionCause> {
    return this.get(path`/v1/sessions/${sessionId}/why/${seq}`, {}, options)
  }

  verify(sessionId: string, query?: VerifyQuery, options?: CallOptions): Call<SessionVerification> {
    return this.get(path`/v1/sessions/${sessionId}/verify`, query, options)
  }

  /** What a model was sent and what it answered, where the agent has that kept. */
  modelRequest(sessionId: string, requestId: string, options?: CallOptions): Call<SessionModelRequest> {
    return this.get(path`/v1/sessions/${sessionId}/model_requests/${requestId}`, {}, options)
  }

  /** The session as a bundle, to be read as a stream: what `verifyBundle` checks. */
  export(sessionId: string, options?: CallOptions): Call<Response> {
    const asked = { method: "GET", path: path`/v1/sessions/${sessionId}/export`, accept: "*/*" } as const
    return new Call(this.transport.send(asked, options, (response) => Promise.resolve(response)))
  }

  /** What the agent answered, as plain text. */
  output(sessionId: string, query?: OutputQuery, options?: CallOptions): Call<string> {
    const asked = { method: "GET", path: path`/v1/sessions/${sessionId}/output`, query, accept: "text/plain" } as const
    return new Call(this.transport.send(asked, options, (response) => response.text()))
  }
}
