import { type Logged, shownTags, type Surroundings, toCompat } from "@troupe/domain/api/compat/toCompat"
import type { CompatEvent } from "@troupe/domain/api/Events"
import { fromUuid, prefixes, type SessionId, toUuid } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Context, Effect, Layer, Option, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { pageBytesMax } from "../log/EventStore.ts"
import * as Together from "../Together.ts"

export interface LoggedPage {
  readonly events: ReadonlyArray<Logged & { readonly seq: number }>
  /** Beyond which the next page lies; null where the page was neither full nor too heavy for more. */
  readonly next: number | null
}

/** What the gateway shows of sessions' logs without waking any of them. */
export class LoggedEvents extends Context.Service<
  LoggedEvents,
  {
    /** Events of a log in an order, beyond a place in it; of some kinds only, and no more at once than a page may weigh. */
    readonly page: (
      sessionId: SessionId,
      options: {
        readonly beyond: number
        readonly order: "asc" | "desc"
        readonly tags: ReadonlyArray<string>
        readonly limit: number
      }
    ) => Effect.Effect<LoggedPage, SqlError>
    /** The first events that clients are shown from a place in a log on: for many logs at once, where many ask. */
    readonly shownFrom: (
      sessionId: SessionId,
      seq: number,
      limit: number
    ) => Effect.Effect<LoggedPage["events"], SqlError>
  }
>()("server/LoggedEvents") {
  static readonly layer: Layer.Layer<LoggedEvents, never, SqlClient.SqlClient> = Layer.effect(
    LoggedEvents,
    Effect.suspend(() => make)
  )
}

/** An event as the database has it; without its text where that was taken out. */
interface StoredEvent {
  readonly seq: number
  readonly eventId: string
  readonly recordedAt: number
  readonly type: string
  readonly version: number
  readonly payload: string | null
  readonly bytes: number | null
}

export const eventOf = (stored: {
  readonly type: string
  readonly version: number
  readonly payload: string
}): SessionEvent | null => {
  // Why it can't be read is of no interest here, and so is where.
  const event = Codec.decodeFast({ ...stored, streamId: "", seq: 0 })
  return Result.isSuccess(event) ? event.success : null
}

/** What clients see of an event. One that has not the shape of its type shows nothing, like one of a type that nobody knows. */
export const shownOf = (logged: Logged, around: Surroundings): ReadonlyArray<CompatEvent> => {
  try {
    return toCompat(logged, around)
  } catch {
    return []
  }
}

const loggedOf = ({ eventId, payload, recordedAt, seq, type, version }: StoredEvent) => {
  const event = payload === null ? null : eventOf({ type, version, payload })
  return event === null ? [] : [{ seq, eventId: fromUuid(prefixes.Event, eventId), recordedAt, event }]
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const eventColumns = sql.literal(
    `seq, event_id AS "eventId", recorded_at::float8 AS "recordedAt", type, version, payload::text AS payload, payload_bytes AS bytes`
  )

  const page: LoggedEvents["Service"]["page"] = Effect.fn("LoggedEvents.page")(function* (
    sessionId,
    { beyond, limit, order, tags }
  ) {
    const direction = sql.literal(order === "desc" ? "DESC" : "ASC")
    const rows = yield* sql<StoredEvent>`
      SELECT ${eventColumns}
      FROM (
        SELECT *, sum(coalesce(payload_bytes, 0)) OVER (ORDER BY seq ${direction} ROWS UNBOUNDED PRECEDING)
          - coalesce(payload_bytes, 0) AS bytes_before
        FROM (
          SELECT * FROM events
          WHERE stream_id = ${toUuid(sessionId)!} AND seq ${sql.literal(order === "desc" ? "<" : ">")} ${beyond}::bigint
            AND type = ANY(${[...tags]}::text[])
          ORDER BY seq ${direction} LIMIT ${limit}
        ) page
      ) weighed
      WHERE bytes_before < ${pageBytesMax}
      ORDER BY seq ${direction}`
    const bytes = rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0)
    return {
      next: rows.length < limit && bytes < pageBytesMax ? null : rows[rows.length - 1]!.seq,
      events: rows.flatMap(loggedOf)
    }
  })

  const allShownFrom = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    const asked = keys.map((key) => key.split(" ") as [string, string, string])
    const rows = yield* sql<StoredEvent & { readonly n: number }>`
      SELECT k.n::int AS n, e.* FROM unnest(${asked.map(([id]) => id)}::uuid[], ${asked.map(([, from]) => Number(from))}::int[],
          ${asked.map(([, , limit]) => Number(limit))}::int[]) WITH ORDINALITY k (id, beginning, most, n)
        CROSS JOIN LATERAL (
          SELECT ${eventColumns}
          FROM events WHERE stream_id = k.id AND seq >= k.beginning AND type = ANY(${[...shownTags]}::text[])
          ORDER BY seq LIMIT k.most
        ) e
      ORDER BY k.n, e.seq`
    const found = keys.map((key) => [key, [] as Array<StoredEvent>] as const)
    for (const { n, ...row } of rows) found[n - 1]![1].push(row)
    return new Map(found)
  }, Effect.withTracerEnabled(false))
  const someShownFrom = yield* Together.make(allShownFrom, { underWayMax: 2, keysMax: 32 })

  const shownFrom: LoggedEvents["Service"]["shownFrom"] = Effect.fn("LoggedEvents.shownFrom")(
    function* (sessionId, seq, limit) {
      const rows = Option.getOrElse(yield* someShownFrom(`${toUuid(sessionId)!} ${seq} ${limit}`), () => [])
      return rows.flatMap(loggedOf)
    }
  )

  return LoggedEvents.of({ page, shownFrom })
})
