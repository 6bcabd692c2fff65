import { makeCursor, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import { Effect } from "effect"

/** Where a page of a list begins that shows the newest first: by the time and the id of what came before it. */
export interface Place {
  readonly createdAt: number
  readonly id: string
}

interface Listed {
  readonly id: string
  readonly created_at: string
}

export interface PageQuery {
  readonly limit?: number
  readonly page?: string
}

/** A page of a list whose items are shown with their id and when they were made. One more than fits is asked for. */
export const pageOf = Effect.fnUntraced(function* <Item extends Listed, E, R>(
  list: string,
  query: PageQuery,
  find: (options: { readonly after: Place | null; readonly limit: number }) => Effect.Effect<ReadonlyArray<Item>, E, R>
) {
  const limit = query.limit ?? pageSizeDefault
  const place =
    query.page === undefined
      ? null
      : yield* Effect.fromResult(readCursor(list, ["number", "string"] as const, query.page))
  const found = yield* find({
    after: place === null ? null : { createdAt: place[0], id: place[1] },
    limit: limit + 1
  })
  const data = found.slice(0, limit)
  const last = data.at(-1)
  const more = found.length > limit && last !== undefined
  return { data, next_page: more ? makeCursor(list, [Date.parse(last.created_at), last.id]) : null }
})

/**
 * A page of a list that is at hand whole. It goes on behind what the last page ended with; where that is gone by now, behind
 * where it was, in the order of the keys.
 */
export const pageOfAll = Effect.fnUntraced(function* <Item>(
  list: string,
  { limit = pageSizeDefault, page }: PageQuery,
  all: ReadonlyArray<Item>,
  keyOf: (item: Item) => string
) {
  const [after] = page === undefined ? [null] : yield* Effect.fromResult(readCursor(list, ["string"] as const, page))
  const at = after === null ? -1 : all.findIndex((item) => keyOf(item) === after)
  const rest = after === null || at >= 0 ? all.slice(at + 1) : all.filter((item) => keyOf(item) > after)
  const data = rest.slice(0, limit)
  const last = data.at(-1)
  return { data, next_page: rest.length > limit && last !== undefined ? makeCursor(list, [keyOf(last)]) : null }
})
