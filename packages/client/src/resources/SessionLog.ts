import { type Pages, pagesOf } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { Streaming } from "../stream/EventStream.ts"
import { type Followed, logStream, type LogStreamOptions } from "../stream/logStream.ts"
import type { LogEvent, LogQuery } from "../types/events.ts"
import { Resource } from "./Resource.ts"

interface LogPage {
  readonly data: ReadonlyArray<LogEvent>
  readonly next_after: number | null
}

/** The log of a session: everything that happened, in order. */
export class SessionLog extends Resource {
  list(sessionId: string, query?: LogQuery, options?: CallOptions): Pages<LogEvent> {
    const at = path`/v1/sessions/${sessionId}/log`
    return pagesOf<LogPage, LogEvent>(
      {
        ask: (asked) => this.transport.send({ method: "GET", path: at, query: asked }, options),
        items: ({ data }) => data,
        more: ({ next_after: after }) => (after === null ? null : { after })
      },
      query
    )
  }

  /** From any place on: what was, then what comes, without a gap and nothing twice. */
  stream<const Options extends LogStreamOptions = LogStreamOptions>(
    sessionId: string,
    options?: Options
  ): Streaming<Followed<Options>> {
    return logStream(this.transport, sessionId, options ?? ({} as Options))
  }
}
