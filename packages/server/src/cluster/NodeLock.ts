import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Cause, Clock, Context, Effect, Latch, Layer, Queue, type Redacted, Semaphore } from "effect"
import { randomInt, randomUUID } from "node:crypto"
import { lockExpirationMs, lockRefreshMs } from "./shards.ts"

/** First half of every node's advisory lock. Positive, since pg_locks shows it unsigned. */
export const lockClass = 0x74726f75

/** Locks of nodes that live, as a condition on `pg_locks`. Keys of two integers are told by objsubid 2. */
export const nodeLocks = `locktype = 'advisory' AND granted AND objsubid = 2 AND classid = ${lockClass}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

export interface NodeLockOptions {
  readonly url: Redacted.Redacted
  readonly release: string
  /** The newest format of logs that this node reads. */
  readonly reads: number
}

/**
 * The proof that this node lives: an advisory lock on a connection of its own. When the process dies, its socket closes
 * and Postgres lets go of the lock at once. When it freezes, the session ends after idling for the lock's expiration.
 */
export class NodeLock extends Context.Service<
  NodeLock,
  {
    /** Names this start of the process. */
    readonly nodeId: string
    /** Whether the lock was seen lately: where it was not, others may count us as gone. */
    readonly held: Effect.Effect<boolean>
    /** Whether the lock was lost and taken again within this time: others may have had the same trouble. */
    readonly retaken: (withinMs: number) => Effect.Effect<boolean>
    /** Waits for the lock, at most so long; false if it did not come. */
    readonly await: (timeoutMs: number) => Effect.Effect<boolean>
    /** Waits for the lock's loss, at most so long; true if it is lost. */
    readonly lost: (timeoutMs: number) => Effect.Effect<boolean>
    /** Writes which lock stands for this address, now and whenever the lock is made anew. */
    readonly announce: (address: string) => Effect.Effect<void, NodeLockLost>
    readonly withdraw: Effect.Effect<void, NodeLockLost>
  }
>()("server/NodeLock") {
  static readonly layer = (options: NodeLockOptions) => Layer.effect(NodeLock, make(options))
}

/** The lock's connection is gone, and a new one is being made; or the node may not register any more. */
export class NodeLockLost extends Error {
  readonly _tag = "NodeLockLost"
}

interface Held {
  readonly key: number
  readonly connection: PgConnection.PgConnection
}

/** No row where the log's format is beyond this node: it must not take what it can't read. */
const upsert = `INSERT INTO nodes (address, node_id, lock_key, release, reads)
SELECT $1::text, $2::uuid, $3::int4, $4::text, $5::int4 FROM (SELECT format FROM log_format FOR SHARE) f WHERE f.format <= $5::int4
ON CONFLICT (address) DO UPDATE
SET node_id = excluded.node_id, lock_key = excluded.lock_key, release = excluded.release, reads = excluded.reads,
  registered_at = now()
RETURNING 1`

const outdated = "The log is written in a format that this release can't read: a newer one is needed"

/** Rows of nodes that ended without saying so. A node that is only between two connections writes its row again. */
const sweep = `DELETE FROM nodes
WHERE registered_at < now() - interval '1 hour'
  AND lock_key NOT IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks})`

const make = Effect.fnUntraced(function* (options: NodeLockOptions) {
  const clock = yield* Clock.Clock
  const nodeId = randomUUID()
  const ready = Latch.makeUnsafe(false)
  const gone = Latch.makeUnsafe(true)
  // A lock that is made anew and an address that is announced must not overwrite each other's row.
  const writing = Semaphore.makeUnsafe(1).withPermits(1)
  let current: Held | undefined
  let address: string | undefined
  let seenAt = 0
  let takenAt: number | undefined
  let tries = 0

  const lost = () => new NodeLockLost("The connection that holds the node's lock is gone")
  const write = ({ connection, key }: Held) =>
    address === undefined
      ? Effect.void
      : Effect.flatMap(connection.queryValues(upsert, [address, nodeId, key, options.release, options.reads]), (rows) =>
          rows.length === 1 ? Effect.void : Effect.fail(new NodeLockLost(outdated))
        )

  const isHeld = () => current !== undefined && clock.currentTimeMillisUnsafe() - seenAt < lockExpirationMs

  const hold = Effect.gen(function* () {
    const connection = yield* PgConnection.make({
      url: options.url,
      applicationName: "troupe node lock",
      connectTimeout: lockRefreshMs
    }).pipe(Effect.flatMap((connection) => connection.pin))
    yield* connection.query("SELECT set_config('idle_session_timeout', $1, false)", [String(lockExpirationMs)])
    const key = randomInt(1, 2 ** 31)
    const taken = yield* connection.queryValues("SELECT pg_try_advisory_lock($1::int, $2::int)", [lockClass, key])
    if (taken[0]?.[0] !== true) return
    // Nobody notifies here: listening is how the end of an idle connection is told without asking.
    const ended = yield* connection.listen("troupe_node_lock")
    const held = { key, connection }
    const see = connection
      .queryValues(`SELECT 1 FROM pg_locks WHERE ${nodeLocks} AND objid = $1::bigint AND pid = pg_backend_pid()`, [key])
      .pipe(
        Effect.timeout(lockExpirationMs / 2),
        Effect.tap((rows) => {
          if (rows.length === 0) return Effect.fail(lost())
          seenAt = clock.currentTimeMillisUnsafe()
          return Effect.void
        })
      )
    yield* see
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        current = undefined
        ready.closeUnsafe()
        gone.openUnsafe()
      })
    )
    yield* writing(
      // Held is what others can see: a lock of which no row tells stands for nobody.
      Effect.andThen(
        Effect.suspend(() => write(held)),
        Effect.sync(() => {
          current = held
        })
      )
    ).pipe(Effect.timeout(lockExpirationMs / 2))
    gone.closeUnsafe()
    ready.openUnsafe()
    takenAt = takenAt === undefined ? 0 : clock.currentTimeMillisUnsafe()
    tries = 0
    return yield* Effect.raceFirst(Effect.forever(Queue.take(ended)), Effect.forever(Effect.delay(see, lockRefreshMs)))
  }).pipe(Effect.scoped)

  yield* hold.pipe(
    Effect.catchCause((cause) =>
      tries > 0
        ? Effect.void
        : Effect.logWarning("The node's lock is lost and will be taken again").pipe(
            Effect.annotateLogs({ cause: Cause.prettyErrors(cause)[0]?.message })
          )
    ),
    Effect.andThen(Effect.suspend(() => Effect.sleep(Math.min(100, 25 * 2 ** tries++)))),
    Effect.forever,
    Effect.forkScoped
  )

  const withHeld = <A>(use: (held: Held) => Effect.Effect<A, unknown>): Effect.Effect<A, NodeLockLost> =>
    ready.await.pipe(
      Effect.andThen(writing(Effect.suspend(() => (current === undefined ? Effect.fail(lost()) : use(current))))),
      Effect.mapError((error) => (error instanceof NodeLockLost ? error : lost()))
    )

  return NodeLock.of({
    nodeId,
    held: Effect.sync(isHeld),
    retaken: (withinMs) =>
      Effect.sync(() => takenAt !== undefined && (!isHeld() || clock.currentTimeMillisUnsafe() - takenAt < withinMs)),
    await: (timeoutMs) =>
      Effect.suspend(() =>
        isHeld()
          ? Effect.succeed(true)
          : Effect.as(Effect.timeoutOption(ready.await, timeoutMs), undefined).pipe(Effect.map(isHeld))
      ),
    lost: (timeoutMs) => Effect.timeoutOption(gone.await, Math.max(0, timeoutMs)).pipe(Effect.map(() => gone.isOpen())),
    announce: (of) =>
      Effect.suspend(() => {
        address = of
        return withHeld((held) => Effect.andThen(write(held), held.connection.query(sweep)))
      }),
    withdraw: Effect.suspend(() => {
      const of = address
      address = undefined
      return of === undefined
        ? Effect.void
        : withHeld(({ connection }) =>
            connection.query("DELETE FROM nodes WHERE address = $1 AND node_id = $2", [of, nodeId])
          )
    })
  })
})
