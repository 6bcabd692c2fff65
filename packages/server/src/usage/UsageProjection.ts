import { toUuid } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Placed } from "../log/EventStore.ts"
import type { Projection } from "../log/Projector.ts"
import { retiring } from "../log/sessionProjection.ts"
import { UsageFold, usageTags } from "./UsageFold.ts"

const unknownModel = "unknown"

const dayOf = ({ recordedAt }: Recorded): string => new Date(Math.floor(recordedAt / 1_000)).toISOString().slice(0, 10)

const folded = (events: ReadonlyArray<Placed>): UsageFold => {
  const fold = new UsageFold()
  for (const { event: recorded } of events) {
    const { payload, stream, streamId, threadId, type, workspaceId } = recorded
    if (stream !== "session" || payload === null || !usageTags.has(type)) continue
    const event = Result.getOrNull(Codec.decodeFast(recorded))
    if (event === null) continue
    const [workspace, session] = [toUuid(workspaceId)!, toUuid(streamId)!]
    fold.take({ event, workspace, session, day: dayOf(recorded), thread: threadId ?? "" })
  }
  return fold
}

/** What began with earlier events, and ended with these: it is counted with what its row says, which goes. */
const endEarlier = Effect.fnUntraced(function* (fold: UsageFold, generation: number) {
  const sql = yield* SqlClient.SqlClient
  if (fold.asked.length > 0) {
    const rows = yield* sql<{ readonly session: string; readonly requestId: string; readonly model: string }>`
      DELETE FROM usage_requests r
      USING json_to_recordset(${JSON.stringify(fold.asked)}::json) AS e (session uuid, "requestId" text)
      WHERE r.generation = ${generation} AND r.session_id = e.session AND r.request_id = e."requestId"
      RETURNING r.session_id::text AS session, r.request_id AS "requestId", r.model`
    const models = new Map(rows.map(({ model, requestId, session }) => [`${session} ${requestId}`, model]))
    for (const { requestId, sums, ...row } of fold.asked) {
      fold.add({ ...row, model: models.get(`${row.session} ${requestId}`) ?? unknownModel }, sums)
    }
  }
  if (fold.work.size > 0) {
    const rows = yield* sql<{ readonly session: string; readonly thread: string; readonly startedAt: string }>`
      DELETE FROM usage_work w
      USING json_to_recordset(${JSON.stringify([...fold.work.values()])}::json) AS e (session uuid, thread text)
      WHERE w.generation = ${generation} AND w.session_id = e.session AND w.thread_id = e.thread
      RETURNING w.session_id::text AS session, w.thread_id AS thread, w.started_at::text AS "startedAt"`
    for (const { session, startedAt, thread } of rows) {
      const ended = fold.work.get(`${session} ${thread}`)?.ended ?? null
      if (ended !== null) fold.add(ended.row, { active: Math.max(0, ended.at - Number(startedAt)) })
    }
  }
})

const begin = Effect.fnUntraced(function* ({ requests, threads, work }: UsageFold, generation: number) {
  const sql = yield* SqlClient.SqlClient
  if (threads.length > 0) {
    yield* sql`
      INSERT INTO usage_threads SELECT ${generation}, session, thread, agent
      FROM json_to_recordset(${JSON.stringify(threads)}::json) AS t (session uuid, thread text, agent text)`
  }
  if (requests.size > 0) {
    yield* sql`
      INSERT INTO usage_requests SELECT ${generation}, session, "requestId", model
      FROM json_to_recordset(${JSON.stringify([...requests.values()])}::json)
        AS r (session uuid, "requestId" text, model text)`
  }
  const working = [...work.values()].filter(({ startedAt }) => startedAt !== null)
  if (working.length > 0) {
    yield* sql`
      INSERT INTO usage_work SELECT ${generation}, session, thread, workspace, "startedAt"
      FROM json_to_recordset(${JSON.stringify(working)}::json)
        AS w (session uuid, thread text, workspace uuid, "startedAt" bigint)`
  }
})

/** Adds to rows of the day, of the agent whose thread it is: its own, or else that of the primary thread. */
const add = Effect.fnUntraced(function* ({ added }: UsageFold, generation: number) {
  const sql = yield* SqlClient.SqlClient
  if (added.length === 0) return
  yield* sql`
    INSERT INTO usage_days AS u
    SELECT ${generation}, workspace, day, session, agent, model, sum(requests), sum(estimated), sum(unpriced), sum(input),
      sum(output), sum("cacheRead"), sum("cacheWrite"), sum(searches), sum(fetches), sum(cost), sum(calls), sum(active)
    FROM (
      SELECT a.*, COALESCE((
        SELECT agent_id FROM usage_threads t
        WHERE t.generation = ${generation} AND t.session_id = a.session AND t.thread_id IN (a.thread, '')
        ORDER BY t.thread_id DESC LIMIT 1
      ), 'unknown') AS agent
      FROM json_to_recordset(${JSON.stringify(added)}::json) AS a (workspace uuid, day date, session uuid, thread text,
        model text, requests bigint, estimated bigint, unpriced bigint, input bigint, output bigint, "cacheRead" bigint,
        "cacheWrite" bigint, searches bigint, fetches bigint, cost bigint, calls bigint, active bigint)
    ) AS counted
    GROUP BY workspace, day, session, agent, model
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

/**
 * What was used, by day, session, agent and model: counted once for each request and each call that ended, whatever it took; and for how long
 * attempts worked, on the day on which they ended. What an event
 * counted that was redacted later is in the rows already, unless these are made anew. Events are folded before anything is
 * written, so that many turns cost a few statements.
 */
export const usageProjection: Projection<SqlClient.SqlClient> = {
  name: "usage",
  version: 3,
  apply: Effect.fnUntraced(function* (events, generation) {
    const fold = folded(events)
    yield* endEarlier(fold, generation)
    yield* begin(fold, generation)
    yield* add(fold, generation)
  }),
  retire: retiring(["usage_days", "usage_requests", "usage_threads", "usage_work"])
}
