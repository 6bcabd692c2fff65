import type { Fleet } from "@troupe/domain/api/Fleet"
import { Clock, Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { WaitingTurn } from "../turns/WaitingFold.ts"

interface Queue {
  readonly waitsFor: WaitingTurn["waitsFor"]
  readonly turns: number
  readonly since: number
}

/** How many turns wait, and since when. The table has these and no others: to count them is to read it. */
export const queues = Effect.fn("queues")(function* () {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql<Queue>`
    SELECT w.waits_for AS "waitsFor", count(*)::int4 AS turns, min(w.since)::float8 AS since
    FROM waiting_turns w JOIN projections p ON p.name = 'queues' AND p.live AND p.version = w.generation
    GROUP BY w.waits_for`
  const now = yield* Clock.currentTimeMillis
  const depth = (kind: WaitingTurn["waitsFor"]) => {
    const queue = found.find(({ waitsFor }) => waitsFor === kind)
    if (queue === undefined) return { turns: 0, oldest_ms: null }
    return { turns: queue.turns, oldest_ms: Math.max(0, Math.round(now - queue.since / 1_000)) }
  }
  const answer: Fleet["queues"] = { turn: depth("turn"), person: depth("person"), runner: depth("runner") }
  return answer
})
