import { invalid } from "@troupe/domain/api/ApiError"
import { isDay, makeCursor, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/UsageReport"
import { toUuid } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import { route } from "../gateway/Route.ts"
import { dayOf } from "./DayBudgets.ts"
import { Usage, usageKeys, type UsageRow } from "./Usage.ts"

const dayMs = 86_400_000
const daysUsually = 30

const shown = (row: UsageRow): Api.UsageRow => ({
  type: "usage",
  day: row.day,
  model: row.model,
  agent_id: row.agentId,
  session_id: row.sessionId,
  model_requests: row.modelRequests,
  estimated_requests: row.estimatedRequests,
  unpriced_requests: row.unpricedRequests,
  input_tokens: row.inputTokens,
  output_tokens: row.outputTokens,
  cache_read_tokens: row.cacheReadTokens,
  cache_write_tokens: row.cacheWriteTokens,
  web_searches: row.webSearches,
  web_fetches: row.webFetches,
  cost_micro_usd: row.costMicroUsd,
  tool_calls: row.toolCalls,
  active_ms: row.activeMs
})

/** The keys of a row, in their order, as the table has them. */
const placeOf = (row: UsageRow): ReadonlyArray<string> =>
  [row.day, row.model, row.agentId, row.sessionId === null ? null : toUuid(row.sessionId)!].filter(
    (key) => key !== null && key !== undefined
  )

/** Cursors are the client's to spoil, so what they say is looked at before the database sees it. */
const fits = (key: (typeof usageKeys)[number], value: string): boolean => {
  if (key === "day") return isDay(value)
  if (key === "session") return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
  return !value.includes("\0")
}

export const routes = route(Api.query, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const usage = yield* Usage
    const now = yield* Clock.currentTimeMillis
    const to = query.to ?? dayOf(now)
    const from = query.from ?? dayOf(Date.parse(`${to}T00:00:00Z`) - (daysUsually - 1) * dayMs)
    if (from > to) return yield* invalid("from: comes after to")
    const by = usageKeys.filter((key) => (query["group_by[]"] ?? []).includes(key))
    const list = `usage ${from} ${to} ${by.join()}`
    const limit = query.limit ?? pageSizeDefault
    const shape = by.map(() => "string" as const)
    const after = query.page === undefined ? null : yield* Effect.fromResult(readCursor(list, shape, query.page))
    if (after?.some((value, at) => !fits(by[at]!, value)) === true) return yield* invalid("invalid page cursor")
    const rows = yield* usage.query({
      workspaceId: caller.workspaceId,
      from,
      to,
      by,
      limit: limit + 1,
      ...(after === null ? {} : { after }),
      ...(query.agent_id === undefined ? {} : { agentId: query.agent_id }),
      ...(query.session_id === undefined ? {} : { sessionId: query.session_id }),
      ...(query.model === undefined ? {} : { model: query.model })
    })
    const page = rows.slice(0, limit)
    const more = rows.length > limit
    return { data: page.map(shown), next_page: more ? makeCursor(list, placeOf(page.at(-1)!)) : null }
  })
)
