import { Effect, Layer, Schedule } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { LeaseTimes } from "./Leases.ts"
import { endClaims, settleClaims } from "./settleClaims.ts"

const forget = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM work_pollers WHERE seen_at < now() - interval '1 hour'`
})

/** Every node looks for claims whose workers are gone: a session waits for one that nobody else polls for, too. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { sweepEveryMs } = yield* LeaseTimes
    yield* endClaims.pipe(
      Effect.andThen(settleClaims(null)),
      Effect.andThen(forget),
      Effect.catchCause((cause) => Effect.logWarning("Claims of work could not be looked through", cause)),
      Effect.repeat(Schedule.spaced(sweepEveryMs)),
      Effect.forkScoped
    )
  })
)
