import { usageGroups } from "@troupe/domain/api/UsageReport"
import { type AgentId, fromUuid, prefixes, SessionId, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** What rows of an answer are told apart by; what is not named here is summed up. */
export const usageKeys = usageGroups
export type UsageKey = (typeof usageKeys)[number]

export interface UsageQuery {
  readonly workspaceId: WorkspaceId
  /** Days in UTC, as YYYY-MM-DD, both included. */
  readonly from: string
  readonly to: string
  readonly by: ReadonlyArray<UsageKey>
  readonly agentId?: AgentId
  readonly sessionId?: SessionId
  /** As `provider/model`. */
  readonly model?: string
  /** Only rows whose keys, in the order of `usageKeys`, come after these. */
  readonly after?: ReadonlyArray<string>
  readonly limit?: number
}

export interface UsageSums {
  readonly modelRequests: number
  readonly estimatedRequests: number
  /** Requests whose price is not known: while there are any, the cost is what is known of it. */
  readonly unpricedRequests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly webSearches: number
  readonly webFetches: number
  readonly costMicroUsd: number
  readonly toolCalls: number
  /** How long attempts worked that have ended, on the day of their end. */
  readonly activeMs: number
}

export interface UsageRow extends UsageSums {
  readonly day: string | null
  /** Empty for tool calls and working time, which no model has. */
  readonly model: string | null
  readonly agentId: string | null
  readonly sessionId: SessionId | null
}

/** What was used. Follows the log by some hundred milliseconds. */
export class Usage extends Context.Service<
  Usage,
  {
    /** In the order of their keys. */
    readonly query: (query: UsageQuery) => Effect.Effect<ReadonlyArray<UsageRow>, SqlError>
    readonly ofDay: (workspaceId: WorkspaceId, day: string) => Effect.Effect<UsageSums, SqlError>
    /** How long the attempts that work now have done so, all together. */
    readonly working: (workspaceId: WorkspaceId, now: number) => Effect.Effect<number, SqlError>
  }
>()("server/Usage") {
  static readonly layer: Layer.Layer<Usage, never, SqlClient.SqlClient> = Layer.effect(
    Usage,
    Effect.suspend(() => make)
  )
}

export const noUse: UsageSums = {
  modelRequests: 0,
  estimatedRequests: 0,
  unpricedRequests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: 0,
  toolCalls: 0,
  activeMs: 0
}

type Stored = Readonly<Record<keyof UsageSums, string>> & {
  readonly day: string | null
  readonly model: string | null
  readonly agent: string | null
  readonly session: string | null
}

const columns: Readonly<Record<UsageKey, string>> = {
  day: "day",
  model: "model",
  agent: "agent_id",
  session: "session_id"
}

const types: Readonly<Record<UsageKey, string>> = { day: "date", model: "text", agent: "text", session: "uuid" }

const sumsOf = (row: Readonly<Record<keyof UsageSums, string>>): UsageSums =>
  Object.fromEntries(
    Object.keys(noUse).map((key) => [key, Number(row[key as keyof UsageSums])])
  ) as unknown as UsageSums

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const query: Usage["Service"]["query"] = Effect.fn("Usage.query")(function* (asked) {
    const { after, agentId, by, from, limit, model, sessionId, to, workspaceId } = asked
    const keys = usageKeys.filter((key) => by.includes(key))
    const key = (name: UsageKey) => (keys.includes(name) ? sql`${sql(columns[name])}::text` : sql`NULL::text`)
    const grouped = keys.length === 0 ? sql`` : sql`GROUP BY ${sql.csv(keys.map((one) => sql`${sql(columns[one])}`))}`
    const ordered = keys.length === 0 ? sql`` : sql`ORDER BY ${sql.csv(keys.map((one) => sql`${sql(columns[one])}`))}`
    const beyond =
      after === undefined || after.length !== keys.length || keys.length === 0
        ? sql`true`
        : sql`(${sql.csv(keys.map((one) => sql`${sql(columns[one])}`))}) >
            (${sql.csv(keys.map((one, at) => sql`${after[at]!}::${sql.literal(types[one])}`))})`
    const rows = yield* sql<Stored>`
      SELECT ${key("day")} AS day, ${key("model")} AS model, ${key("agent")} AS agent, ${key("session")} AS session,
        COALESCE(sum(model_requests), 0)::text AS "modelRequests",
        COALESCE(sum(estimated_requests), 0)::text AS "estimatedRequests",
        COALESCE(sum(unpriced_requests), 0)::text AS "unpricedRequests",
        COALESCE(sum(input_tokens), 0)::text AS "inputTokens",
        COALESCE(sum(output_tokens), 0)::text AS "outputTokens",
        COALESCE(sum(cache_read_tokens), 0)::text AS "cacheReadTokens",
        COALESCE(sum(cache_write_tokens), 0)::text AS "cacheWriteTokens",
        COALESCE(sum(web_searches), 0)::text AS "webSearches",
        COALESCE(sum(web_fetches), 0)::text AS "webFetches",
        COALESCE(sum(cost_micro_usd), 0)::text AS "costMicroUsd",
        COALESCE(sum(tool_calls), 0)::text AS "toolCalls",
        COALESCE(sum(active_ms), 0)::text AS "activeMs"
      FROM usage_days
      WHERE generation = (SELECT version FROM projections WHERE name = 'usage' AND live)
        AND workspace_id = ${toUuid(workspaceId)!} AND day BETWEEN ${from}::date AND ${to}::date
        AND ${agentId === undefined ? sql`true` : sql`agent_id = ${agentId}`}
        AND ${sessionId === undefined ? sql`true` : sql`session_id = ${toUuid(sessionId)!}`}
        AND ${model === undefined ? sql`true` : sql`model = ${model}`}
        AND ${beyond}
      ${grouped} ${ordered} ${limit === undefined ? sql`` : sql`LIMIT ${limit}`}`
    return rows.map((row) => ({
      ...sumsOf(row),
      day: row.day,
      model: row.model,
      agentId: row.agent,
      sessionId: row.session === null ? null : SessionId.make(fromUuid(prefixes.Session, row.session))
    }))
  })

  const working: Usage["Service"]["working"] = Effect.fn("Usage.working")(function* (workspaceId, now) {
    const [row] = yield* sql<{ readonly ms: string }>`
      SELECT COALESCE(sum(GREATEST(0, ${now}::bigint - started_at)), 0)::text AS ms FROM usage_work
      WHERE generation = (SELECT version FROM projections WHERE name = 'usage' AND live)
        AND workspace_id = ${toUuid(workspaceId)!}`
    return Number(row?.ms ?? 0)
  })

  return Usage.of({
    query,
    working,
    ofDay: (workspaceId, day) =>
      Effect.map(query({ workspaceId, from: day, to: day, by: [] }), ([row]) => (row === undefined ? noUse : row))
  })
})
