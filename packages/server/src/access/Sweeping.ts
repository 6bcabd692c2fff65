import { Effect, Layer, Schedule } from "effect"
import * as SqlClient from "effect/sql/SqlClient"

const everyMs = 3_600_000

/** Takes away tokens that were given for a time, a week after it was over, and windows that nobody counts in any more. */
export const sweep = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    DELETE FROM tokens t
    WHERE kind IN ('login', 'console', 'stream', 'end_user', 'worker') AND expires_at < now() - interval '7 days'
      AND NOT EXISTS (SELECT FROM tokens c WHERE c.parent_id = t.token_id)`
  yield* sql`DELETE FROM rate_limits WHERE ends_at < now() - interval '1 hour'`
})

export const layer: Layer.Layer<never, never, SqlClient.SqlClient> = Layer.effectDiscard(
  sweep.pipe(
    Effect.catchCause((cause) => Effect.logDebug("Old tokens could not be swept", cause)),
    Effect.repeat(Schedule.spaced(everyMs)),
    Effect.delay(everyMs),
    Effect.forkScoped
  )
)
