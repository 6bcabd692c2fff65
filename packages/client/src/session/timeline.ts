import type { Timeline } from "@troupe/domain/session/Timeline"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { SessionLog } from "../resources/SessionLog.ts"
import type { LogEvent } from "../types/events.ts"

export type { Timeline } from "@troupe/domain/session/Timeline"

/** What a session's log shows up to an event of it. */
export interface TimelineAt {
  readonly seq: number
  readonly timeline: Timeline
}

const microsOf = (time: string): number => Date.parse(time) * 1_000 + Number(time.slice(23, 26).padEnd(3, "0"))

/** What a timeline is made by needs more than the whole rest of the client: it is loaded by the first who looks at one. */
const loadRules = () => import("@troupe/domain/session/Timeline")
type Rules = Awaited<ReturnType<typeof loadRules>>

const next = ({ apply }: Rules, { timeline }: TimelineAt, event: LogEvent): TimelineAt => {
  // What was redacted is no longer there to be shown; what stands in its place comes as an event of its own.
  if (event.payload === null) return { seq: event.seq, timeline }
  const logged = { ...event.payload, _tag: event.type } as never
  const placed = { seq: event.seq, recordedAt: microsOf(event.recorded_at), event: logged }
  return { seq: event.seq, timeline: apply(timeline, placed) }
}

const pageSize = 1_000

const present = async (
  rules: Rules,
  log: SessionLog,
  sessionId: string,
  options: StreamOptions
): Promise<TimelineAt> => {
  let at: TimelineAt = { seq: 0, timeline: rules.initial }
  const { headers, maxRetries, signal } = options
  const all = log.list(sessionId, { limit: pageSize }, { headers, maxRetries, signal })
  for await (const event of all) at = next(rules, at, event)
  return at
}

/** A session as people look at it: await it for the present, or iterate to follow it from the present on. */
export class LiveTimeline implements PromiseLike<TimelineAt>, AsyncIterable<TimelineAt> {
  readonly #log: SessionLog
  readonly #sessionId: string
  readonly #options: StreamOptions

  constructor(transport: Transport, sessionId: string, options: StreamOptions = {}) {
    this.#log = new SessionLog(transport)
    this.#sessionId = sessionId
    this.#options = options
  }

  then<B = TimelineAt, C = never>(
    onView?: ((view: TimelineAt) => B | PromiseLike<B>) | null,
    onError?: ((error: unknown) => C | PromiseLike<C>) | null
  ): Promise<B | C> {
    return loadRules()
      .then((rules) => present(rules, this.#log, this.#sessionId, this.#options))
      .then(onView, onError)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TimelineAt, void, undefined> {
    const rules = await loadRules()
    let at = await present(rules, this.#log, this.#sessionId, this.#options)
    yield at
    for await (const event of this.#log.stream(this.#sessionId, { ...this.#options, after: at.seq })) {
      at = next(rules, at, event)
      yield at
    }
  }
}
