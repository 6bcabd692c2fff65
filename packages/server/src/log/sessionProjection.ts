import type { Recorded } from "@troupe/domain/log/Envelope"
import * as Codec from "@troupe/domain/session/Codec"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Projection } from "./Projector.ts"

export interface SessionProjection extends Pick<Projection, "name" | "version"> {
  /** Whose rows say in `generation` what they are of. */
  readonly tables: ReadonlyArray<string>
  /** Whether an event says anything here, looked at before it is read. */
  readonly tells: (event: Recorded) => boolean
  readonly take: (
    recorded: Recorded,
    event: SessionEvent,
    generation: number
  ) => Effect.Effect<void, SqlError, SqlClient.SqlClient>
}

const rowsPerStep = 1_000

/** Deletes rows of a generation from these tables, some at a time. */
export const retiring = (tables: ReadonlyArray<string>): Projection<SqlClient.SqlClient>["retire"] =>
  Effect.fnUntraced(function* (generation) {
    const sql = yield* SqlClient.SqlClient
    let found = false
    for (const table of tables) {
      const gone = yield* sql`
        DELETE FROM ${sql(table)} WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM ${sql(table)} WHERE generation = ${generation} LIMIT ${rowsPerStep})) RETURNING 1`
      found ||= gone.length > 0
    }
    return found
  })

/** A read table that is made of sessions' events. Those whose content was redacted say nothing any more. */
export const sessionProjection = ({
  name,
  tables,
  take,
  tells,
  version
}: SessionProjection): Projection<SqlClient.SqlClient> => ({
  name,
  version,
  apply: (events, generation) =>
    Effect.forEach(
      events,
      ({ event: recorded }) => {
        if (recorded.stream !== "session" || recorded.payload === null || !tells(recorded)) return Effect.void
        const event = Result.getOrNull(Codec.decodeFast(recorded))
        return event === null ? Effect.void : take(recorded, event, generation)
      },
      { discard: true }
    ),
  retire: retiring(tables)
})
