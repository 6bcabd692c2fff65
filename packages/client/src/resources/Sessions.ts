import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  SearchHit,
  SearchQuery,
  Session,
  SessionCreate,
  SessionDeleted,
  SessionFork,
  SessionListQuery,
  SessionRedact,
  SessionRedaction,
  SessionThread,
  SessionUpdate,
  ThreadListQuery
} from "../types/api.ts"
import type { Streaming } from "../stream/EventStream.ts"
import { type EventStreamOptions, liveEvents } from "../stream/liveEvents.ts"
import type { EventListQuery, SessionEvent, StreamedEvent } from "../types/events.ts"
import { listEvents } from "./listEvents.ts"
import { SessionApprovals, SessionQuestions } from "./Inbox.ts"
import { list } from "./list.ts"
import { Replay } from "./Replay.ts"
import { Resource } from "./Resource.ts"
import { SessionEvents } from "./SessionEvents.ts"
import { SessionFiles } from "./SessionFiles.ts"
import { SessionLog } from "./SessionLog.ts"
import { SessionPlace } from "./SessionPlace.ts"
import { SessionResources } from "./SessionResources.ts"
import { Turns } from "./Turns.ts"

/** The lines of work within a session. */
class SessionThreads extends Resource {
  list(sessionId: string, query?: ThreadListQuery, options?: CallOptions): Pages<SessionThread> {
    return list(this.transport, path`/v1/sessions/${sessionId}/threads`, query, options)
  }

  retrieve(sessionId: string, threadId: string, options?: CallOptions): Call<SessionThread> {
    return this.get(path`/v1/sessions/${sessionId}/threads/${threadId}`, {}, options)
  }

  archive(sessionId: string, threadId: string, options?: CallOptions): Call<SessionThread> {
    return this.post(path`/v1/sessions/${sessionId}/threads/${threadId}/archive`, undefined, options)
  }

  /** What one thread shows. */
  events(sessionId: string, threadId: string, query?: EventListQuery, options?: CallOptions): Pages<SessionEvent> {
    return listEvents(this.transport, { sessionId, threadId }, query, options)
  }

  /** What one thread shows from now on. */
  stream(sessionId: string, threadId: string, options?: EventStreamOptions): Streaming<StreamedEvent> {
    return liveEvents(this.transport, { sessionId, threadId }, options)
  }
}

/** The work itself: what an agent does in an environment. */
export class Sessions extends Resource {
  readonly approvals = new SessionApprovals(this.transport)
  readonly events = new SessionEvents(this.transport)
  readonly files = new SessionFiles(this.transport)
  readonly log = new SessionLog(this.transport)
  readonly place = new SessionPlace(this.transport)
  readonly questions = new SessionQuestions(this.transport)
  readonly replay = new Replay(this.transport)
  readonly resources = new SessionResources(this.transport)
  readonly threads = new SessionThreads(this.transport)
  readonly turns = new Turns(this.transport)

  create(body: SessionCreate, options?: CallOptions): Call<Session> {
    return this.post("/v1/sessions", body, options)
  }

  list(query?: SessionListQuery, options?: CallOptions): Pages<Session> {
    return list(this.transport, "/v1/sessions", query, options)
  }

  /** Sessions in which these words are, with the places. */
  search(query: SearchQuery, options?: CallOptions): Pages<SearchHit> {
    return list(this.transport, "/v1/search", query, options)
  }

  retrieve(sessionId: string, options?: CallOptions): Call<Session> {
    return this.get(path`/v1/sessions/${sessionId}`, {}, options)
  }

  update(sessionId: string, body: SessionUpdate, options?: CallOptions): Call<Session> {
    return this.post(path`/v1/sessions/${sessionId}`, body, options)
  }

  archive(sessionId: string, options?: CallOptions): Call<Session> {
    return this.post(path`/v1/sessions/${sessionId}/archive`, undefined, options)
  }

  delete(sessionId: string, options?: CallOptions): Call<SessionDeleted> {
    return this.remove(path`/v1/sessions/${sessionId}`, options)
  }

  /** Work stops at the next safe place, until it is resumed. */
  pause(sessionId: string, options?: CallOptions): Call<Session> {
    return this.post(path`/v1/sessions/${sessionId}/pause`, undefined, options)
  }

  resume(sessionId: string, options?: CallOptions): Call<Session> {
    return this.post(path`/v1/sessions/${sessionId}/resume`, undefined, options)
  }

  /** Takes the content of events out for good. It takes a key with `admin`. */
  redact(sessionId: string, body: SessionRedact, options?: CallOptions): Call<SessionRedaction> {
    return this.post(path`/v1/sessions/${sessionId}/redact`, body, options)
  }

  /** Another session, which begins with what this one was at a place of its log. */
  fork(sessionId: string, body: SessionFork = {}, options?: CallOptions): Call<Session> {
    return this.post(path`/v1/sessions/${sessionId}/fork`, body, options)
  }
}
