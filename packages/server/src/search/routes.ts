import { makeCursor, pageSizeDefault, readCursor, timeOf } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Search"
import { Effect } from "effect"
import { route } from "../gateway/Route.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { type Hit, Search } from "./Search.ts"

export const routes = route(Api.search, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const search = yield* Search
    const reads = yield* SessionReads
    const { workspaceId } = caller
    const place =
      query.page === undefined
        ? null
        : yield* Effect.fromResult(readCursor("search", ["number", "string"] as const, query.page))
    const { hits, next } = yield* search.query({
      workspaceId,
      words: query.q,
      includeArchived: query.include_archived === "true",
      projectId: query.project_id ?? null,
      after: place === null ? null : { at: place[0], sessionId: place[1] },
      limit: query.limit ?? pageSizeDefault
    })
    const shown = ({ highlights, matchedAt, sessionId }: Hit) =>
      reads.find(workspaceId, sessionId).pipe(
        Effect.map(({ session }): ReadonlyArray<Api.SearchHit> => [
          { type: "search_hit", session, matched_at: timeOf(matchedAt), highlights }
        ]),
        // Deleted between the two looks.
        Effect.catchTag("ApiFailure", () => Effect.succeed([]))
      )
    const data = (yield* Effect.forEach(hits, shown, { concurrency: "unbounded" })).flat()
    return { data, next_page: next === null ? null : makeCursor("search", [next.at, next.sessionId]) }
  })
)
