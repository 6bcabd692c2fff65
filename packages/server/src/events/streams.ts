import { attempt, invalid } from "@troupe/domain/api/ApiError"
import type { Surroundings } from "@troupe/domain/api/compat/toCompat"
import type * as Api from "@troupe/domain/api/Events"
import { timeOfMicros } from "@troupe/domain/api/Page"
import type { SessionId } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Option, Result } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { RequestId } from "../gateway/Requests.ts"
import type { Asked } from "../gateway/Route.ts"
import * as Sse from "../gateway/Sse.ts"
import { EventStore } from "../log/EventStore.ts"
import { Watchers } from "../session/Watchers.ts"
import type { Reader } from "../session/WatchReader.ts"
import type { Delta, Seen, View } from "../session/WatchHub.ts"
import { actorOf } from "../sessions/actorOf.ts"
import { shownOf } from "../sessions/LoggedEvents.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import type { SessionView } from "../sessions/SessionView.ts"
import * as Previews from "./Previews.ts"

/** How long a stream waits for its owner's feed before it begins without: then only the first deltas may be missing. */
export const liveWithinMs = 1_000

const logEvent = (event: Recorded): Api.LogEvent => ({
  seq: event.seq,
  id: event.eventId,
  type: event.type,
  version: event.version,
  recorded_at: timeOfMicros(event.recordedAt),
  thread_id: event.threadId,
  actor: actorOf(event),
  causation_id: event.causationId,
  correlation_id: event.correlationId,
  epoch: event.epoch,
  commitment: event.commitment,
  chain: event.chain,
  payload: event.payload === null ? null : (JSON.parse(event.payload) as Api.LogEvent["payload"])
})

/** An event as JSON, without what each kind of stream puts around it. */
export const jsonView: View<string> = { encode: ({ event }) => JSON.stringify(logEvent(event)) }

const logView: View<string> = {
  encode: (seat) => Sse.frame(seat.event.type, seat.as(jsonView), seat.seq)
}

interface Shown {
  readonly text: string
  /** The block that is whole now, if the event says so of one. */
  readonly blockId: string | null
  readonly last: boolean
  /** The session does nothing more by itself. */
  readonly rests: boolean
}

const resting: ReadonlySet<string> = new Set(["session.status_idle", "session.status_terminated"])

/**
 * SDKs before 1.0 take frames of the names that they list, `message` among them, and drop others unread. Later ones look at
 * no name but `ping` and `error`: so what the older ones do not list is framed as a `message`, for all.
 */
const unlisted: ReadonlySet<string> = new Set(["session.usage"])
const frameOf = (event: Api.CompatEvent): string =>
  Sse.frame(unlisted.has(event.type) ? "message" : event.type, JSON.stringify(event))

const compatView = (around: Surroundings): View<Shown> => ({
  encode: ({ event: recorded }) => {
    const event = recorded.payload === null ? null : Codec.decodeFast(recorded)
    if (event === null || Result.isFailure(event)) return { text: "", blockId: null, last: false, rests: false }
    const { eventId, recordedAt } = recorded
    const shown = shownOf({ eventId, recordedAt, event: event.success }, around)
    return {
      text: shown.map(frameOf).join(""),
      blockId: "blockId" in event.success ? event.success.blockId : null,
      last: event.success._tag === "SessionDeleted",
      rests: shown.some(({ type }) => resting.has(type))
    }
  }
})

// Readers of one thread share what its events are encoded to, so they must share the view as well.
const views = new Map<string, View<Shown>>()
const viewsMax = 10_000

export const viewOf = (around: Surroundings): View<Shown> => {
  const known = views.get(around.primary)
  if (known !== undefined) return known
  if (views.size >= viewsMax) views.clear()
  const view = compatView(around)
  views.set(around.primary, view)
  return view
}

/** Writes what a reader sees until it was the last, or the session or the reader is gone, or the key is. */
export const follow = (
  request: HttpServerRequest,
  requestId: string,
  reader: Reader,
  text: (seen: Seen) => { readonly text: string; readonly last: boolean }
) =>
  Sse.follow(request, requestId, ({ write }, end) => {
    reader.onCut(end)
    return Effect.gen(function* () {
      while (true) {
        let batch = ""
        let over = false
        for (const seen of yield* reader.take) {
          const { last, text: one } = text(seen)
          batch += one
          over = last
          if (over) break
        }
        if (batch !== "") yield* write(batch)
        if (over) return
      }
      // Slow readers, broken storage and a node that goes all end a stream: the client opens another one.
    }).pipe(Effect.catch(() => Effect.void))
  })

/** Shows what is seen as clients of the compatible API know it; with `untilRest`, nothing after the session rests. */
export const showing =
  (view: View<Shown>, around: Surroundings, previews: ReturnType<typeof Previews.make> | null, untilRest = false) =>
  (seen: Seen) => {
    if (seen._tag === "Delta") {
      const own = seen.delta.threadId === around.primary
      return { text: previews !== null && own ? previews.take(seen.delta) : "", last: false }
    }
    const shown = seen.events.map((seat) => seat.as(view))
    if (previews !== null) for (const { blockId } of shown) if (blockId !== null) previews.end(blockId)
    const end = shown.findIndex(({ last, rests }) => last || (untilRest && rests))
    const told = end < 0 ? shown : shown.slice(0, end + 1)
    return { text: told.map((one) => one.text).join(""), last: end >= 0 }
  }

export const previewsOf = (query: Asked<typeof Api.stream>["query"]) =>
  query["event_deltas[]"] === undefined ? null : Previews.make(query["event_deltas[]"])

/** Live only: what commits from the moment on at which the headers go out. */
export const streamEvents = Effect.fn("streamEvents")(function* (
  { around, session }: SessionView,
  query: Asked<typeof Api.stream>["query"],
  request: HttpServerRequest
) {
  const watchers = yield* Watchers
  const previews = previewsOf(query)
  const view = viewOf(around)
  const requestId = yield* RequestId
  yield* watchers.turn
  const reader = yield* watchers.open(session.id, yield* Effect.orDie(watchers.versionOf(session.id)))
  if (previews !== null) yield* Effect.timeoutOption(reader.live, liveWithinMs)
  const text = showing(view, around, previews)
  return yield* follow(request, requestId, reader, text)
})

const afterOf = Effect.fnUntraced(function* (query: { readonly after?: number }, request: HttpServerRequest) {
  const resumed = request.headers["last-event-id"]
  if (resumed === undefined || resumed === "") return query.after ?? 0
  const seq = Number(resumed)
  if (!/^\d{1,10}$/.test(resumed) || seq > 2_147_483_647) {
    return yield* invalid("Last-Event-ID: takes the sequence number of an event")
  }
  return seq
})

/** Kinds of events that a reader wants; without any, all of them. */
export const wantedOf = (types: ReadonlyArray<string> | undefined) => {
  if (types === undefined) return () => true
  const wanted = new Set(types)
  return ({ type }: { readonly type: string }) => wanted.has(type)
}

export const deltaOut = ({ blockId, offset, text, threadId }: Delta) => ({
  event_id: blockId,
  thread_id: threadId,
  offset,
  text
})

/** Our own events, from any place in the log on: what was, and then what comes, without a gap. */
export const streamLog = Effect.fn("streamLog")(function* (
  { caller, params, query }: Asked<typeof Api.logStream>,
  request: HttpServerRequest
) {
  const reads = yield* SessionReads
  const { session } = yield* reads.find(caller.workspaceId, params.id)
  const watchers = yield* Watchers
  const requestId = yield* RequestId
  const wanted = wantedOf(query["types[]"])
  const deltas = query.deltas === "true"
  yield* watchers.turn
  const reader = yield* watchers.open(session.id, yield* afterOf(query, request))
  if (deltas) yield* Effect.timeoutOption(reader.live, liveWithinMs)
  const text = (seen: Seen) => {
    if (seen._tag === "Delta") {
      const isText = seen.delta.kind === undefined
      return { text: deltas && isText ? Sse.frame("delta", JSON.stringify(deltaOut(seen.delta))) : "", last: false }
    }
    const shown = seen.events.filter(({ event }) => wanted(event))
    return {
      text: shown.map((seat) => seat.as(logView)).join(""),
      last: seen.events.some(({ event }) => event.type === "SessionDeleted")
    }
  }
  return yield* follow(request, requestId, reader, text)
})

/** How many events a filtered page looks through at most: what it stopped at is where the next one begins. */
const lookedThroughMax = 10_000

/** A page of a log, of some kinds of events only. */
export const readLog = Effect.fn("readLog")(function* (sessionId: SessionId, query: Asked<typeof Api.log>["query"]) {
  const store = yield* EventStore
  const { after = 0, limit = 100, "types[]": types } = query
  const wanted = wantedOf(types)
  const data: Array<Api.LogEvent> = []
  let at = after
  let over = false
  while (!over && data.length < limit && at - after < lookedThroughMax) {
    const size = types === undefined ? limit - data.length : 1_000
    const page = yield* Effect.orDie(store.read(sessionId, { after: at, limit: size }))
    over = page.length === 0
    for (const event of page) {
      if (data.length === limit) break
      at = event.seq
      if (wanted(event)) data.push(yield* Effect.fromResult(attempt(() => logEvent(event))))
    }
    // One page, however short, where nothing is left out of it.
    if (types === undefined) break
  }
  // A page may end before its limit where events are large: only the log's end is the end.
  const end = over || data.length === limit ? Option.none() : yield* Effect.orDie(store.head(sessionId))
  const more = data.length === limit || (Option.isSome(end) && at < end.value.version)
  return { data, next_after: more ? at : null }
})
