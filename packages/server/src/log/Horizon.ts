import { Clock, Context, Effect, Layer, Metric } from "effect"
import * as SqlClient from "effect/sql/SqlClient"

/** Where the snapshot horizon stands, and since when this node sees it there; null while nothing holds it. */
export interface Held {
  readonly xid: string
  readonly sinceMs: number
}

/** What holds the horizon now, if anything does: the oldest transaction of the server that has written and not ended. */
export const observe = (
  before: Held | null,
  { oldest, next }: { readonly oldest: string; readonly next: string },
  nowMs: number
): Held | null => {
  if (oldest === next) return null
  return before?.xid === oldest ? before : { xid: oldest, sinceMs: nowMs }
}

/** Readers across streams are that far behind. Older than this, somebody has forgotten a transaction. */
export const alertAfterMs = 30_000
const everyMs = 5_000

const gauge = Metric.gauge("troupe_log_horizon_age_ms", {
  description:
    "For how long the oldest transaction that writes in the database server has held back readers of all logs"
})

/**
 * Watches how old the horizon is below which all logs are read. Any transaction that writes anywhere in the server holds
 * it. Seen by the ids of transactions alone, which need no rights: whose it is, `pg_stat_activity` tells an administrator.
 */
export class Horizon extends Context.Service<
  Horizon,
  {
    /** For how long the horizon has stood still, as far as this node has seen it; 0 where nothing holds it. */
    readonly ageMs: Effect.Effect<number>
  }
>()("server/Horizon") {
  static readonly layer: Layer.Layer<Horizon, never, SqlClient.SqlClient> = Layer.effect(
    Horizon,
    Effect.gen(function* () {
      const { ageMs, look } = yield* make
      yield* look.pipe(
        Effect.catchCause((cause) => Effect.logDebug("The horizon of the log could not be seen", cause)),
        Effect.andThen(Effect.sleep(everyMs)),
        Effect.forever,
        Effect.forkScoped
      )
      return Horizon.of({ ageMs })
    })
  )
}

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const clock = yield* Clock.Clock
  let held: Held | null = null
  let warned: string | null = null

  const age = () => (held === null ? 0 : clock.currentTimeMillisUnsafe() - held.sinceMs)

  const look = Effect.gen(function* () {
    const [seen] = yield* sql<{ readonly oldest: string; readonly next: string }>`
      SELECT pg_snapshot_xmin(s)::text AS oldest, pg_snapshot_xmax(s)::text AS next FROM pg_current_snapshot() AS s`
    held = observe(held, seen!, clock.currentTimeMillisUnsafe())
    const ageMs = age()
    yield* Metric.update(gauge, ageMs)
    if (held !== null && ageMs > alertAfterMs && warned !== held.xid) {
      warned = held.xid
      yield* Effect.logWarning(
        `Transaction ${held.xid} of the database server has been writing for ${Math.round(ageMs / 1_000)} s: ` +
          "until it ends, nobody who reads all logs sees what was written since (pg_stat_activity names it)"
      )
    }
    if (warned !== null && warned !== held?.xid) {
      yield* Effect.logInfo(`Transaction ${warned} of the database server has ended: all logs can be read again`)
      warned = null
    }
    return held
  })

  return { look, ageMs: Effect.sync(age) }
})
