import { Clock, Context, Effect, Exit, Latch, Layer, Schedule } from "effect"
import { PersistenceError } from "effect/cluster/ClusterError"
import type { Runner } from "effect/cluster/Runner"
import type { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import type * as ShardId from "effect/cluster/ShardId"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as SqlClient from "effect/sql/SqlClient"
import { NodeLock, nodeLocks } from "./NodeLock.ts"

/** How long a refresh may wait for the node's own lock, where that is being made anew. */
const lockWaitMs = 500
/**
 * How long an acquisition waits for what it lacks: shards that their last owner is still letting go, our lock, the
 * database. The cluster would ask again only after a second, which callers of a handed over session would wait.
 */
const acquireMs = 1_200
const refreshMs = 1_200
/**
 * For so long a refresh listens for the loss of our own lock. The cluster refreshes every other second; told by then that the
 * database went, it has let go of all that went with it before the database is back, and asks for it at once.
 */
const listenMs = 1_400
/** Less than the cluster gives a refresh. */
const refreshedMs = 1_900
/** How long no member is dropped after our own lock was lost: theirs may be on the way back like ours. */
const settleMs = 2_000
const againMs = 100
/** How long an acquisition waits for shards to be let go of that went with their session: their sessions end meanwhile. */
const letGoMs = 400
const letGoLookMs = 10
/** How long the first try may take to acquire anything after a session has ended. */
const reviveFirstMs = 100
/** The cluster waits for five seconds before it gives a list up. */
const listMs = 4_000

type Listed = readonly [runner: Runner, healthy: boolean]

const format = (address: RunnerAddress) => `${address.host}:${address.port}`

/**
 * Tells that a member is gone. A call to a killed member fails by itself; one to a frozen member would wait for its
 * connection to be given up, and then for a new one to be refused.
 */
export class Members extends Context.Service<
  Members,
  {
    /** Completes when some member has left the list since this began to wait, and its shards are assigned anew. */
    readonly gone: Effect.Effect<void>
    /** Whether this node is in the list, and holds its lock. */
    readonly joined: Effect.Effect<boolean>
  }
>()("server/Members") {}

/** The list is taken over in the same breath; sending again waits for that. */
const assignedMs = 20

/**
 * The cluster's own storage of members, corrected by who is seen to live: a member whose lock is gone is none, at once
 * and not only after its heartbeat is too old; and a node that can't see its own lock owns no shards.
 */
const make = Effect.gen(function* () {
  const inner = yield* RunnerStorage.RunnerStorage
  const lock = yield* NodeLock
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const clock = yield* Clock.Clock
  let self: string | undefined
  let known: ReadonlyMap<string, Listed> = new Map()
  let left = Latch.makeUnsafe(false)

  /** Shards whose locks went with their session. */
  const lost = new Set<string>()
  /** Whether a session has just ended, and no acquisition has come since. */
  let justLost = false
  /** How long an acquisition may take on what is in place of a session that ended; null where none did. */
  let reviveMs: number | null = null

  /**
   * A session that could not be replaced while the database was away is replaced once an acquisition on it has failed, which
   * would take its whole time. Each try gets more of it: a database that is only slow is not to begin anew for ever.
   */
  const tryAcquire = (address: RunnerAddress, wanted: ReadonlyArray<ShardId.ShardId>) =>
    Effect.suspend(() => {
      const acquiring = inner.acquire(address, wanted)
      if (reviveMs === null) return acquiring
      const withinMs = reviveMs
      reviveMs *= 2
      return Effect.tap(Effect.timeout(acquiring, withinMs), () => Effect.sync(() => (reviveMs = null)))
    }).pipe(PersistenceError.refail)

  const learn = (listed: ReadonlyArray<Listed>): void => {
    const addresses = new Map(listed.map((one) => [format(one[0].address), one]))
    if (![...known.keys()].every((address) => addresses.has(address))) {
      left.openUnsafe()
      left = Latch.makeUnsafe(false)
    }
    known = addresses
  }

  const alive = sql.unsafe<{ address: string }>(
    `SELECT address FROM nodes WHERE lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks})`
  )

  const acquire = Effect.fnUntraced(function* (address: RunnerAddress, shardIds: Iterable<ShardId.ShardId>) {
    const wanted = [...shardIds]
    // Shards are let go of one by one. The cluster asks for those that are, and for the others a second after it got the first:
    // an error is asked about again at once, for all of them.
    const isFirst = justLost
    justLost = false
    if (isFirst && lost.size > 0) {
      for (let waitedMs = 0; lost.size > 0 && waitedMs < letGoMs; waitedMs += letGoLookMs)
        yield* Effect.sleep(letGoLookMs)
      return yield* new PersistenceError({ cause: new Error("Shards that were lost were still let go of") })
    }
    const deadline = clock.currentTimeMillisUnsafe() + acquireMs
    while (true) {
      const leftMs = deadline - clock.currentTimeMillisUnsafe()
      // An error is asked about again after the poll interval, no shards only after a second.
      const acquired = (yield* lock.await(Math.max(0, leftMs)))
        ? yield* Effect.exit(tryAcquire(address, wanted))
        : Exit.fail(new PersistenceError({ cause: new Error("The node does not hold its lock") }))
      if (Exit.isSuccess(acquired)) {
        for (const shardId of acquired.value) lost.delete(String(shardId))
        if (acquired.value.length === wanted.length) return acquired.value
      }
      if (leftMs <= 0) return yield* acquired
      yield* Effect.sleep(againMs)
    }
  })

  /** Which of these locks are still ours, by the session that took them. */
  const look = Effect.fnUntraced(function* (
    address: RunnerAddress,
    asked: ReadonlyArray<ShardId.ShardId>,
    withinMs: number
  ) {
    // A refresh that fails took its session along, and the locks with it. Saying so takes less time than the cluster's
    // own way back from storage that it holds for broken, which it asks every other second whether it has recovered.
    const found = yield* Effect.catch(Effect.timeout(inner.refresh(address, asked), withinMs), (error) => {
      reviveMs = reviveFirstMs
      if (asked.length === 0) return Effect.succeed([])
      justLost = true
      return Effect.logWarning(
        "The database did not confirm this node's shards: they are let go of, and asked for again"
      ).pipe(Effect.annotateLogs({ cause: String(error), withinMs }), Effect.as([]))
    })
    const kept = new Set(found.map(String))
    for (const shardId of asked.map(String)) if (!kept.has(shardId)) lost.add(shardId)
    return found
  })

  const refresh = Effect.fnUntraced(function* (address: RunnerAddress, shardIds: Iterable<ShardId.ShardId>) {
    const began = clock.currentTimeMillisUnsafe()
    const left = (untilMs: number) => Math.max(0, untilMs - (clock.currentTimeMillisUnsafe() - began))
    const asked = [...shardIds]
    let kept = yield* look(address, asked, refreshMs)
    const listens = kept.length > 0 && (yield* lock.held)
    if (listens && (yield* lock.lost(left(listenMs)))) kept = yield* look(address, kept, left(refreshedMs))
    if (kept.length === 0) return kept
    return (yield* lock.await(Math.min(lockWaitMs, left(refreshedMs)))) ? kept : []
  })

  const list = Effect.gen(function* () {
    const runners = yield* inner.getRunners
    const living = new Set((yield* alive).map(({ address }) => address))
    const settling = yield* lock.retaken(settleMs)
    const stays = (address: string) =>
      living.has(address) ||
      // Never without ourselves: the cluster would register and ask again in a loop without a pause.
      address === self ||
      (settling && known.has(address))
    const listed = runners.filter(([{ address }]) => stays(format(address)))
    if (settling) {
      const there = new Set(listed.map(([{ address }]) => format(address)))
      for (const [address, one] of known) if (!there.has(address) && address !== self) listed.push(one)
    }
    learn(listed)
    return listed
  })

  const storage = RunnerStorage.RunnerStorage.of({
    ...inner,
    register: (runner, healthy) =>
      Effect.suspend(() => {
        self = format(runner.address)
        // The lock first: a member without one counts as dead.
        return lock.announce(self).pipe(PersistenceError.refail, Effect.andThen(inner.register(runner, healthy)))
      }),
    unregister: (address) =>
      Effect.ensuring(inner.unregister(address), Effect.ignore(Effect.timeout(lock.withdraw, lockWaitMs))),
    getRunners: list.pipe(
      Effect.retry({ schedule: Schedule.spaced(againMs), times: listMs / againMs }),
      Effect.timeout(listMs),
      // Without a database nobody can take anything over, so the list stays what it was.
      Effect.catch((error) => (known.size === 0 ? Effect.fail(error) : Effect.sync(() => [...known.values()]))),
      PersistenceError.refail,
      Effect.withTracerEnabled(false)
    ),
    acquire,
    refresh,
    // What went with its session can't be unlocked any more: trying would wait for the database, once for each shard.
    release: (address, shardId) =>
      Effect.suspend(() => (lost.delete(String(shardId)) ? Effect.void : inner.release(address, shardId)))
  })
  const members = Members.of({
    gone: Effect.suspend(() => Effect.andThen(left.await, Effect.sleep(assignedMs))),
    joined: Effect.map(lock.held, (held) => held && self !== undefined && known.has(self))
  })
  return Context.make(RunnerStorage.RunnerStorage, storage).pipe(Context.add(Members, members))
})

/**
 * A sign of life need not outlast a crash of the database, so on the connection that holds locks no commit waits for the disk:
 * where somebody copies a hundred thousand files beside the database, that takes seconds, and the node would let go of its shards.
 */
const unhurried = (client: SqlClient.SqlClient): SqlClient.SqlClient =>
  new Proxy(client, {
    get: (target, key) => {
      if (key === "withoutTransforms") return () => unhurried(target.withoutTransforms())
      if (key !== "reserve") return Reflect.get(target, key)
      return Effect.tap(target.reserve, (connection) => connection.executeRaw("SET synchronous_commit = off", []))
    }
  })

const reserving = Layer.effect(SqlClient.SqlClient, Effect.map(SqlClient.SqlClient, unhurried))

/** Needs a client of its own: two of its connections stay reserved, and no load may keep it waiting. */
export const layer = Layer.effectContext(make).pipe(
  Layer.provide(SqlRunnerStorage.layerStorage({}).pipe(Layer.provide(reserving)))
)
