import { type SessionId, toUuid, type TurnId } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"

/** A turn that has begun: the event that began it, its message, and the last that was said of its fate. */
export interface StartedTurn {
  readonly seq: number
  readonly recordedAt: number
  readonly started: EventOf<"TurnStarted">
  readonly message: EventOf<"MessageTaken"> | null
  readonly fate: { readonly seq: number; readonly recordedAt: number; readonly event: Fate } | null
}

type Fate = EventOf<"TurnCompleted"> | EventOf<"TurnFailed"> | EventOf<"TurnInterrupted"> | EventOf<"TurnRetried">

interface Row {
  readonly seq: number
  readonly recordedAt: number
  readonly type: string
  readonly version: number
  readonly payload: string | null
}

const decode = ({ payload, type, version }: Row): SessionEvent | null => {
  if (payload === null) return null
  const event = Codec.decodeFast({ streamId: "", seq: 0, type, version, payload })
  return Result.isSuccess(event) ? event.success : null
}

const columns = `seq, recorded_at::float8 AS "recordedAt", type, version, payload::text AS payload`
// As the index on them says it, so that it is used.
const turnTypes = `type IN ('TurnStarted', 'TurnCompleted', 'TurnFailed', 'TurnInterrupted', 'TurnRetried')`
const fates = `${turnTypes} AND type <> 'TurnStarted'`

/** A page of the turns that have begun, in the order in which they did. */
export const startedTurns = Effect.fn("startedTurns")(function* (
  sessionId: SessionId,
  { beyond, limit, order }: { readonly beyond: number; readonly order: "asc" | "desc"; readonly limit: number }
) {
  const sql = yield* SqlClient.SqlClient
  const stream = toUuid(sessionId)!
  const descending = order === "desc"
  const rows = yield* sql<Row>`
    SELECT ${sql.literal(columns)} FROM events
    WHERE stream_id = ${stream} AND seq ${sql.literal(descending ? "<" : ">")} ${beyond}::bigint
      AND ${sql.literal(turnTypes)} AND type = 'TurnStarted'
    ORDER BY seq ${sql.literal(descending ? "DESC" : "ASC")} LIMIT ${limit}`
  const begun = rows.flatMap((row) => {
    const event = decode(row)
    return event?._tag === "TurnStarted" ? [{ seq: row.seq, recordedAt: row.recordedAt, started: event }] : []
  })
  if (begun.length === 0) return []
  const first = Math.min(...begun.map(({ seq }) => seq))
  // The message that a turn begins with stands right behind its beginning.
  const taken = yield* sql<Row>`
    SELECT ${sql.literal(columns)} FROM events
    WHERE stream_id = ${stream} AND seq = ANY(${begun.map(({ seq }) => seq + 1)}::int[]) AND type = 'MessageTaken'`
  const said = yield* sql<Row>`
    SELECT DISTINCT ON (payload ->> 'turnId') ${sql.literal(columns)} FROM events
    WHERE stream_id = ${stream} AND seq > ${first}::int AND ${sql.literal(fates)}
      AND payload ->> 'turnId' = ANY(${begun.map(({ started }) => started.turnId)}::text[])
    ORDER BY payload ->> 'turnId', seq DESC`
  const messages = new Map(taken.map((row) => [row.seq, decode(row)]))
  const ends = new Map(
    said.flatMap((row) => {
      const event = decode(row) as Fate | null
      return event === null ? [] : [[event.turnId, { seq: row.seq, recordedAt: row.recordedAt, event }] as const]
    })
  )
  return begun.map((turn): StartedTurn => {
    const message = messages.get(turn.seq + 1)
    return {
      ...turn,
      message: message?._tag === "MessageTaken" ? message : null,
      fate: ends.get(turn.started.turnId) ?? null
    }
  })
})

/** Where a turn ended in the log; `open` where it goes on, null where no turn of that id has begun. */
export const turnEnd = Effect.fn("turnEnd")(function* (sessionId: SessionId, turnId: TurnId) {
  const sql = yield* SqlClient.SqlClient
  const [last] = yield* sql<{ readonly seq: number; readonly type: string }>`
    SELECT seq, type FROM events
    WHERE stream_id = ${toUuid(sessionId)!} AND ${sql.literal(turnTypes)} AND payload ->> 'turnId' = ${turnId}
    ORDER BY seq DESC LIMIT 1`
  if (last === undefined) return null
  return last.type === "TurnStarted" || last.type === "TurnRetried" ? ("open" as const) : last.seq
})
