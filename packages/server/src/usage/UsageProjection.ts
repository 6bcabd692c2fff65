import { toUuid } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { sessionProjection } from "../log/sessionProjection.ts"

/** What an attempt's work ends with. Whichever comes first ends it, and those that follow find none. */
const endings = [
  "AttemptLost",
  "TurnSuspended",
  "TurnRescheduled",
  "RetryAsked",
  "TurnInterrupted",
  "TurnCompleted",
  "TurnFailed"
] as const
const told = new Set<string>([
  ...["SessionOpened", "ThreadOpened", "ModelRequestStarted", "ModelRequestEnded", "ToolStarted", "AttemptStarted"],
  ...endings
])

/** No model has this name: the row that holds a session's tool calls, and how long it worked. */
const noModel = ""
const unknownModel = "unknown"

const dayOf = ({ recordedAt }: Recorded): string => new Date(Math.floor(recordedAt / 1_000)).toISOString().slice(0, 10)

interface Row {
  readonly generation: number
  readonly workspace: string
  readonly day: string
  readonly session: string
  readonly thread: string
  readonly model: string
}

const counts = (event: EventOf<"ModelRequestEnded"> | EventOf<"ToolStarted">): ReadonlyArray<number> => {
  if (event._tag === "ToolStarted") return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
  const { usage } = event
  return [
    ...[1, usage.source === "estimated" ? 1 : 0, usage.costMicroUsd === null ? 1 : 0],
    ...[usage.inputTokens, usage.outputTokens, usage.cacheReadTokens],
    ...[usage.cacheWrite5mTokens + usage.cacheWrite1hTokens, usage.webSearches, usage.webFetches],
    ...[usage.costMicroUsd ?? 0, 0, 0]
  ]
}

/** Adds to a row of the day, of the agent whose thread it is: its own, or else that of the primary thread. */
const add = Effect.fnUntraced(function* (row: Row, sums: ReadonlyArray<number>) {
  const sql = yield* SqlClient.SqlClient
  const [requests, estimated, unpriced, input, output, cacheRead, cacheWrite, searches, fetches, cost, calls, active] =
    sums
  yield* sql`
    INSERT INTO usage_days AS u
    VALUES (${row.generation}, ${row.workspace}, ${row.day}::date, ${row.session}, COALESCE((
        SELECT agent_id FROM usage_threads
        WHERE generation = ${row.generation} AND session_id = ${row.session} AND thread_id IN (${row.thread}, '')
        ORDER BY thread_id DESC LIMIT 1
      ), 'unknown'), ${row.model}, ${requests}, ${estimated}, ${unpriced}, ${input}, ${output}, ${cacheRead},
      ${cacheWrite}, ${searches}, ${fetches}, ${cost}, ${calls}, ${active})
    ON CONFLICT (generation, workspace_id, day, session_id, agent_id, model) DO UPDATE SET
      model_requests = u.model_requests + excluded.model_requests,
      estimated_requests = u.estimated_requests + excluded.estimated_requests,
      unpriced_requests = u.unpriced_requests + excluded.unpriced_requests,
      input_tokens = u.input_tokens + excluded.input_tokens,
      output_tokens = u.output_tokens + excluded.output_tokens,
      cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
      cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
      web_searches = u.web_searches + excluded.web_searches,
      web_fetches = u.web_fetches + excluded.web_fetches,
      cost_micro_usd = u.cost_micro_usd + excluded.cost_micro_usd,
      tool_calls = u.tool_calls + excluded.tool_calls,
      active_ms = u.active_ms + excluded.active_ms`
})

/** The agent of a thread; that of the primary one stands under no name as well, for threads without an agent of their own. */
const agentRows = (
  event: EventOf<"SessionOpened"> | EventOf<"ThreadOpened">
): ReadonlyArray<readonly [string, string]> => {
  if (event._tag === "SessionOpened") return [["", event.agent.agentId]]
  const agentId = event.agent?.["agentId"]
  return typeof agentId === "string" ? [[event.threadId, agentId]] : []
}

const take = Effect.fnUntraced(function* (recorded: Recorded, event: SessionEvent, generation: number) {
  const sql = yield* SqlClient.SqlClient
  const session = toUuid(recorded.streamId)!
  const row = {
    generation,
    session,
    workspace: toUuid(recorded.workspaceId)!,
    day: dayOf(recorded),
    thread: recorded.threadId ?? ""
  }
  switch (event._tag) {
    case "SessionOpened":
    case "ThreadOpened":
      for (const [thread, agent] of agentRows(event)) {
        yield* sql`
          INSERT INTO usage_threads VALUES (${generation}, ${session}, ${thread}, ${agent}) ON CONFLICT DO NOTHING`
      }
      return
    case "ModelRequestStarted":
      yield* sql`
        INSERT INTO usage_requests
        VALUES (${generation}, ${session}, ${event.requestId}, ${`${event.provider}/${event.model}`})
        ON CONFLICT DO NOTHING`
      return
    case "ModelRequestEnded": {
      const [asked] = yield* sql<{ readonly model: string }>`
        DELETE FROM usage_requests
        WHERE generation = ${generation} AND session_id = ${session} AND request_id = ${event.requestId}
        RETURNING model`
      return yield* add({ ...row, model: asked?.model ?? unknownModel }, counts(event))
    }
    case "ToolStarted":
      return yield* add({ ...row, model: noModel }, counts(event))
    case "AttemptStarted":
      yield* sql`
        INSERT INTO usage_work VALUES (${generation}, ${session}, ${row.thread}, ${row.workspace}, ${event.at})
        ON CONFLICT (generation, session_id, thread_id) DO UPDATE SET started_at = excluded.started_at`
      return
    case "AttemptLost":
    case "TurnSuspended":
    case "TurnRescheduled":
    case "RetryAsked":
    case "TurnInterrupted":
    case "TurnCompleted":
    case "TurnFailed": {
      const [work] = yield* sql<{ readonly startedAt: string }>`
        DELETE FROM usage_work
        WHERE generation = ${generation} AND session_id = ${session} AND thread_id = ${row.thread}
        RETURNING started_at::text AS "startedAt"`
      if (work === undefined) return
      const activeMs = Math.max(0, event.at - Number(work.startedAt))
      return yield* add({ ...row, model: noModel }, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, activeMs])
    }
  }
})

/**
 * What was used, by day, session, agent and model: counted once for each request that ended, whatever it took; and for how long
 * attempts worked, on the day on which they ended. What an event
 * counted that was redacted later is in the rows already, unless these are made anew.
 */
export const usageProjection = sessionProjection({
  name: "usage",
  version: 2,
  tables: ["usage_days", "usage_requests", "usage_threads", "usage_work"],
  tells: ({ type }) => told.has(type),
  take
})
