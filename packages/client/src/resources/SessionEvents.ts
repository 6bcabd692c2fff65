import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import { answerStream } from "../stream/answerStream.ts"
import type { Streaming } from "../stream/EventStream.ts"
import { type EventStreamOptions, liveEvents } from "../stream/liveEvents.ts"
import type { EventListQuery, MessageContent, SessionEvent, StreamedEvent, UserEvent } from "../types/events.ts"
import { listEvents } from "./listEvents.ts"
import { Resource } from "./Resource.ts"

interface Sent {
  readonly data: ReadonlyArray<SessionEvent>
}

/** What a session shows, and what is said to it. */
export class SessionEvents extends Resource {
  list(sessionId: string, query?: EventListQuery, options?: CallOptions): Pages<SessionEvent> {
    return listEvents(this.transport, { sessionId }, query, options)
  }

  /** All of them or none; answers with them as they are stored. */
  send(sessionId: string, events: ReadonlyArray<UserEvent>, options?: CallOptions): Call<ReadonlyArray<SessionEvent>> {
    return this.post<Sent>(path`/v1/sessions/${sessionId}/events`, { events }, options).map(({ data }) => data)
  }

  /** Says something and brings what comes of it, until the session rests. It is said once, however often one connects. */
  message(sessionId: string, content: MessageContent, options?: EventStreamOptions): Streaming<StreamedEvent> {
    return answerStream(this.transport, sessionId, content, options)
  }

  /** What happens from the moment on at which it stands. */
  stream(sessionId: string, options?: EventStreamOptions): Streaming<StreamedEvent> {
    return liveEvents(this.transport, { sessionId }, options)
  }
}
