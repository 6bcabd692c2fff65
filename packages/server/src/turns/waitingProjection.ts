import { toUuid } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Placed } from "../log/EventStore.ts"
import type { Projection } from "../log/Projector.ts"
import { retiring } from "../log/sessionProjection.ts"
import { WaitingFold, waitingTags } from "./WaitingFold.ts"

const folded = (events: ReadonlyArray<Placed>): WaitingFold => {
  const fold = new WaitingFold()
  for (const { event: recorded } of events) {
    const { payload, recordedAt, stream, streamId, type } = recorded
    if (stream !== "session" || payload === null || !waitingTags.has(type)) continue
    const event = Result.getOrNull(Codec.decodeFast(recorded))
    if (event !== null) fold.take({ sessionId: toUuid(streamId)!, recordedAt, event })
  }
  return fold
}

const write = Effect.fnUntraced(function* (fold: WaitingFold, generation: number) {
  const sql = yield* SqlClient.SqlClient
  const { approved, ended, endedThreads, gone, joined, waiting } = fold
  const ends = [...gone.values(), ...joined, ...endedThreads, ...[...ended].map((sessionId) => ({ sessionId }))]
  if (ends.length > 0) {
    yield* sql`
      DELETE FROM waiting_turns w
      USING json_to_recordset(${JSON.stringify(ends)}::json)
        AS e ("sessionId" uuid, "turnId" text, "inputId" text, "threadId" text)
      WHERE w.generation = ${generation} AND w.session_id = e."sessionId" AND (e."turnId" IS NULL OR w.turn_id = e."turnId")
        AND (e."inputId" IS NULL OR w.input_id = e."inputId") AND (e."threadId" IS NULL OR w.thread_id = e."threadId")`
  }
  if (approved.size > 0) {
    yield* sql`
      UPDATE waiting_turns w SET waits_for = 'turn'
      FROM json_to_recordset(${JSON.stringify([...approved.values()])}::json) AS a ("sessionId" uuid, "turnId" text)
      WHERE w.generation = ${generation} AND w.session_id = a."sessionId" AND w.turn_id = a."turnId"`
  }
  if (waiting.size > 0) {
    yield* sql`
      INSERT INTO waiting_turns (generation, session_id, turn_id, thread_id, input_id, waits_for, since)
      SELECT ${generation}, "sessionId", "turnId", "threadId", "inputId", "waitsFor", since
      FROM json_to_recordset(${JSON.stringify([...waiting.values()])}::json)
        AS t ("sessionId" uuid, "turnId" text, "threadId" text, "inputId" text, "waitsFor" text, since bigint)
      ON CONFLICT DO NOTHING`
  }
})

/**
 * Turns that wait, across sessions: how deep queues are is counted without looking into any of them. Events are folded before
 * anything is written, so that turns which go on at once, as nearly all do, cost a place in one statement.
 */
export const waitingProjection: Projection<SqlClient.SqlClient> = {
  name: "queues",
  version: 1,
  apply: (events, generation) => write(folded(events), generation),
  retire: retiring(["waiting_turns"])
}
