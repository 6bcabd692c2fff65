import { invalid } from "@troupe/domain/api/ApiError"
import { shownTags } from "@troupe/domain/api/compat/toCompat"
import * as Api from "@troupe/domain/api/Events"
import { makeCursor, microsOf, readCursor } from "@troupe/domain/api/Page"
import { Effect } from "effect"
import type { Asked } from "../gateway/Route.ts"
import { LoggedEvents, shownOf } from "../sessions/LoggedEvents.ts"
import type { SessionView } from "../sessions/SessionView.ts"
import { pendingOf } from "./pending.ts"

type CompatEvent = Api.CompatEvent
type Query = Asked<typeof Api.list>["query"]

const limitDefault = 1_000
const beyondAll = 2_147_483_647

/**
 * Where a page ended: behind the `index`-th of what event `seq` shows, and behind one that waits to be taken up, where
 * the page had come so far.
 */
interface Place {
  readonly seq: number
  readonly index: number
  readonly waiting: string
}

const cursorShape = ["string", "number", "number", "string"] as const

const placeOf = Effect.fnUntraced(function* (query: Query, order: "asc" | "desc", list: string) {
  if (query.page === undefined) return { seq: order === "asc" ? 0 : beyondAll, index: -1, waiting: "" }
  const [made, seq, index, waiting] = yield* Effect.fromResult(readCursor(list, cursorShape, query.page))
  if (made !== order) return yield* invalid("page token order does not match request")
  return { seq, index, waiting }
})

const wanted = (query: Query) => {
  const types = query["types[]"]
  const after = [query["created_at[gt]"]].flatMap((time) => (time === undefined ? [] : [microsOf(time)]))
  const from = [query["created_at[gte]"]].flatMap((time) => (time === undefined ? [] : [microsOf(time)]))
  const before = [query["created_at[lt]"]].flatMap((time) => (time === undefined ? [] : [microsOf(time)]))
  const to = [query["created_at[lte]"]].flatMap((time) => (time === undefined ? [] : [microsOf(time)]))
  const timed = after.length + from.length + before.length + to.length > 0
  return {
    type: (type: string) => types === undefined || types.includes(type),
    time: (at: number) =>
      after.every((bound) => at > bound) &&
      from.every((bound) => at >= bound) &&
      before.every((bound) => at < bound) &&
      to.every((bound) => at <= bound),
    /** What waits has no time yet, so no bound on times lets it in. */
    waiting: !timed
  }
}

/** A page of what a session's clients see of its log. */
export const listEvents = Effect.fn("listEvents")(function* (view: SessionView, query: Query) {
  const logged = yield* LoggedEvents
  const { around, session } = view
  const order = query.order ?? "asc"
  const limit = query.limit ?? limitDefault
  const list = `events ${session.id}${around.isChild === true ? ` ${around.primary}` : ""}`
  const filter = wanted(query)
  const start: Place = yield* placeOf(query, order, list)
  const data: Array<CompatEvent> = []
  let place = start
  let full = false

  const take = (event: CompatEvent, at: Place): boolean => {
    if (data.length === limit) {
      full = true
      return false
    }
    data.push(event)
    place = at
    return true
  }

  const takeWaiting = Effect.gen(function* () {
    if (!filter.waiting) return
    const all = (yield* pendingOf(view)).filter(({ type }) => filter.type(type))
    const waiting = order === "asc" ? all : all.toReversed()
    const from = waiting.findIndex(({ id }) => id === place.waiting) + 1
    for (const event of waiting.slice(from)) if (!take(event, { ...place, waiting: event.id })) return
  })

  const takeLogged = Effect.gen(function* () {
    const ascending = order === "asc"
    // The event that the last page ended in is read again: it may show more.
    let beyond = start.index < 0 ? start.seq : ascending ? start.seq - 1 : start.seq + 1
    while (true) {
      const pageSize = Math.min(1_000, limit - data.length + 16)
      const { events, next } = yield* logged.page(session.id, { beyond, order, tags: shownTags, limit: pageSize })
      for (const logged of events) {
        const shown = shownOf(logged, around)
        for (let n = 0; n < shown.length; n++) {
          const index = ascending ? n : shown.length - 1 - n
          const seen =
            logged.seq === start.seq && start.index >= 0 && (ascending ? index <= start.index : index >= start.index)
          const event = shown[index]!
          if (seen || !filter.type(event.type) || !filter.time(logged.recordedAt)) continue
          if (!take(event, { seq: logged.seq, index, waiting: "" })) return
        }
      }
      if (next === null) return
      beyond = next
    }
  })

  // In the order of time, what waits comes last. What is taken up while somebody pages is found in the log.
  if (order === "desc" && start.seq === beyondAll) yield* takeWaiting
  if (!full) yield* takeLogged
  if (order === "asc" && !full) yield* takeWaiting
  const { index, seq, waiting } = place
  return { data, next_page: full ? makeCursor(list, [order, seq, index, waiting]) : null }
})
