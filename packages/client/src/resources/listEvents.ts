import type { EventListQuery, SessionEvent } from "../types/events.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { CallOptions } from "../options.ts"
import { list } from "./list.ts"

export const listEvents = (
  transport: Transport,
  sessionId: string,
  query: EventListQuery = {},
  options: CallOptions = {}
): Pages<SessionEvent> => list<SessionEvent>(transport, path`/v1/sessions/${sessionId}/events`, query, options)
