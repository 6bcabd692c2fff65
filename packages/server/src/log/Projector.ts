import { Cause, Effect, Exit, Metric, type Duration } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { judge, sqlState } from "./AppendBatch.ts"
import { type Cursor, EventStore, type Placed, type StoreUnavailable } from "./EventStore.ts"

/** A read table and how events fill it. Its rows say which generation they are of, and readers see the live one. */
export interface Projection<R = never> {
  readonly name: string
  /** Grows when the same events would make other rows: the new version fills beside the old one, from the beginning. */
  readonly version: number
  /** Writes what these events mean into rows of `generation`, in the transaction that moves the checkpoint. */
  readonly apply: (events: ReadonlyArray<Placed>, generation: number) => Effect.Effect<void, SqlError, R>
  /** Deletes some rows of a generation that nobody reads any more; answers whether there were any. */
  readonly retire: (generation: number) => Effect.Effect<boolean, SqlError, R>
}

type Named = Pick<Projection, "name" | "version">

/** `Moved` says how many events were taken; `Elsewhere`, that another node has this projection in hand. */
export type Step =
  | { readonly _tag: "Moved"; readonly events: number }
  | { readonly _tag: "CaughtUp" }
  | { readonly _tag: "Elsewhere" }
  /** A newer version is live: this release's rows are no longer read. */
  | { readonly _tag: "Superseded" }

const eventsPerStep = 500

/** Where a version of a projection stands, registering it at the beginning where it is new. */
const checkpoint = Effect.fnUntraced(function* ({ name, version }: Named) {
  const sql = yield* SqlClient.SqlClient
  const read = sql<{ readonly xid: string; readonly position: string; readonly live: boolean }>`
    SELECT xid::text, position::text, live FROM projections WHERE name = ${name} AND version = ${version}`
  const [found] = yield* read
  if (found !== undefined) return found
  // A release that comes back after a newer one does not fill what nobody would read.
  yield* sql`
    INSERT INTO projections (name, version)
    SELECT ${name}, ${version} WHERE NOT EXISTS (
      SELECT FROM projections WHERE name = ${name} AND version > ${version} AND live)
    ON CONFLICT DO NOTHING`
  const [made] = yield* read
  return made
})

/** True while we have the row, as it was when we read it: nobody else moves it before our transaction ends. */
const hold = Effect.fnUntraced(function* ({ name, version }: Named, at: Cursor) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT FROM projections
    WHERE name = ${name} AND version = ${version} AND xid = ${at.xid}::xid8 AND position = ${at.position}::int8
    FOR UPDATE SKIP LOCKED`
  return rows.length === 1
})

/** Readers see this version from now on, unless a newer one is live. */
const goLive = Effect.fnUntraced(function* (projection: Named, at: Cursor) {
  const { name, version } = projection
  const sql = yield* SqlClient.SqlClient
  if (!(yield* hold(projection, at))) return
  const newer = yield* sql`SELECT FROM projections WHERE name = ${name} AND version > ${version} AND live`
  if (newer.length > 0) return
  yield* sql`UPDATE projections SET live = false WHERE name = ${name} AND live`
  yield* sql`UPDATE projections SET live = true WHERE name = ${name} AND version = ${version}`
})

/** Whether less is left than is taken at once: who reads it then is as near to the log as readers ever are. */
const isClose = Effect.fnUntraced(function* ({ position, xid }: Cursor, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const far = yield* sql`
    SELECT FROM events WHERE (xid, position) > (${xid}::xid8, ${position}::int8) ORDER BY xid, position OFFSET ${limit - 1} LIMIT 1`
  return far.length === 0
})

/** Writes what these events mean, and moves on behind them, all or nothing; false where somebody else has moved on. */
const moveOver = Effect.fnUntraced(function* <R>(
  projection: Named,
  at: Cursor,
  { cursor }: Placed,
  apply: Effect.Effect<void, SqlError, R>
) {
  const sql = yield* SqlClient.SqlClient
  const { name, version } = projection
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      if (!(yield* hold(projection, at))) return false
      yield* apply
      yield* sql`
        UPDATE projections SET xid = ${cursor.xid}::xid8, position = ${cursor.position}::int8, moved_at = now()
        WHERE name = ${name} AND version = ${version}`
      return true
    })
  )
})

/** Whether it would fail so every time, for what an event says: our code can't take it, or the database can't. */
const isAboutData = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.every((reason) => {
    if (Cause.isInterruptReason(reason)) return false
    const error = Cause.isDieReason(reason) ? reason.defect : reason.error
    return error instanceof SqlError ? judge(error) === "data" : Cause.isDieReason(reason)
  })

/** Without what the database would quote of the event. */
const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof SqlError ? `the database says ${sqlState(error)}` : String(error)
}

const leftOut = Metric.counter("troupe_projection_events_left_out", {
  description: "Events that read tables were made without, since they can't be taken"
})

/**
 * Takes some events. One that can't be taken is looked for by halves and left out, on record: read tables are of all
 * sessions, and must not stand still for one of them. What is mended later gets a new version, and is made anew.
 */
const takeAll = <R>(
  projection: Projection<R>,
  at: Cursor,
  events: ReadonlyArray<Placed>
): Effect.Effect<boolean, SqlError, R | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const last = events.at(-1)!
    const exit = yield* Effect.exit(moveOver(projection, at, last, projection.apply(events, projection.version)))
    if (Exit.isSuccess(exit)) return exit.value
    if (!isAboutData(exit.cause)) return yield* exit
    if (events.length === 1) {
      yield* Metric.update(leftOut, 1)
      const { seq, streamId } = last.event
      const why = describe(exit.cause)
      yield* Effect.logError(`Projection ${projection.name} leaves out event ${seq} of ${streamId}: ${why}`)
      return yield* moveOver(projection, at, last, Effect.void)
    }
    const half = Math.ceil(events.length / 2)
    const moved = yield* takeAll(projection, at, events.slice(0, half))
    return moved && (yield* takeAll(projection, events[half - 1]!.cursor, events.slice(half)))
  })

/**
 * Takes the next events, if there are any. Events are read before the transaction begins: a transaction that writes holds
 * back the horizon for all who read the log, so it is kept short. What a killed projector had begun is rolled back, and
 * taken again by the next one.
 */
export const step = Effect.fn("Projector.step")(function* <R>(
  projection: Projection<R>,
  limit = eventsPerStep
): Effect.fn.Return<Step, SqlError | StoreUnavailable, R | EventStore | SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const store = yield* EventStore
  const at = yield* checkpoint(projection)
  if (at === undefined) return { _tag: "Superseded" }
  const events = yield* store.readAll({ after: at, limit })
  const last = events.at(-1)
  if (last === undefined) {
    if (!at.live) yield* sql.withTransaction(goLive(projection, at))
    return { _tag: "CaughtUp" }
  }
  const moved = yield* takeAll(projection, at, events)
  // On a log that is always written to, nobody is ever at its end.
  if (moved && !at.live && (yield* isClose(last.cursor, limit)))
    yield* sql.withTransaction(goLive(projection, last.cursor))
  return moved ? { _tag: "Moved", events: events.length } : { _tag: "Elsewhere" }
})

/** Removes versions older than the live one, once no older release has moved them for a while. */
export const retire = Effect.fn("Projector.retire")(function* <R>(projection: Projection<R>, quietMs = 600_000) {
  const sql = yield* SqlClient.SqlClient
  const { name } = projection
  const outdated = yield* sql<{ readonly version: number }>`
    SELECT o.version FROM projections o JOIN projections l ON l.name = o.name AND l.live
    WHERE o.name = ${name} AND o.version < l.version AND o.moved_at < now() - ${quietMs} * interval '1 millisecond'`
  for (const { version } of outdated) {
    while (yield* projection.retire(version));
    yield* sql`DELETE FROM projections WHERE name = ${name} AND version = ${version} AND NOT live`
  }
})

export interface RunOptions {
  /**
   * How long to wait once all was taken, or somebody else takes it. What comes meanwhile is taken at once: a transaction for
   * each commit of a busy log would cost more than what it writes.
   */
  readonly idle: Duration.Input
  readonly elsewhere: Duration.Input
}

/** Keeps a projection up to date, as one of several nodes that try. Failures are logged and tried again. */
export const run = Effect.fnUntraced(function* <R>(
  projection: Projection<R>,
  options: RunOptions = { idle: "100 millis", elsewhere: "1 second" }
) {
  const once = Effect.gen(function* () {
    const taken = yield* step(projection)
    switch (taken._tag) {
      case "Moved":
        return yield* taken.events < eventsPerStep ? Effect.sleep(options.idle) : Effect.void
      case "CaughtUp":
        return yield* Effect.sleep(options.idle)
      case "Elsewhere":
        return yield* Effect.sleep(options.elsewhere)
      case "Superseded":
        return yield* Effect.sleep("1 minute")
    }
  })
  return yield* once.pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(
        Effect.logWarning(`Projection ${projection.name} could not move on`, cause),
        Effect.sleep("1 second")
      )
    ),
    Effect.forever
  )
})
