import { Context, Effect, Latch, Layer } from "effect"
import { PersistenceError } from "effect/cluster/ClusterError"
import type { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import type * as ShardId from "effect/cluster/ShardId"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as SqlClient from "effect/sql/SqlClient"
import { NodeLock, nodeLocks } from "./NodeLock.ts"

/** How long an answer may wait for the node's own lock, where that is being made anew. */
const lockWaitMs = 500
/** How long an acquisition asks again for shards that their last owner is still letting go. */
const acquireMs = 700
const acquireAgainMs = 100

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
  let self: string | undefined
  let known: ReadonlySet<string> = new Set()
  let left = Latch.makeUnsafe(false)

  const compare = (listed: ReadonlySet<string>): void => {
    if (![...known].every((address) => listed.has(address))) {
      left.openUnsafe()
      left = Latch.makeUnsafe(false)
    }
    known = listed
  }

  const alive = sql.unsafe<{ address: string }>(
    `SELECT address FROM nodes WHERE lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks})`
  )

  const acquire = Effect.fnUntraced(function* (address: RunnerAddress, shardIds: Iterable<ShardId.ShardId>) {
    const wanted = [...shardIds]
    if (!(yield* lock.await(lockWaitMs))) return []
    let acquired = yield* inner.acquire(address, wanted)
    // The cluster would ask again only after a second, which callers of a handed over session would wait.
    for (let waited = 0; acquired.length < wanted.length && waited < acquireMs; waited += acquireAgainMs) {
      yield* Effect.sleep(acquireAgainMs)
      acquired = yield* inner.acquire(address, wanted)
    }
    return acquired
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
    getRunners: Effect.gen(function* () {
      const runners = yield* inner.getRunners
      const living = new Set((yield* alive).map(({ address }) => address))
      // Never without ourselves: the cluster would register and ask again in a loop without a pause.
      const listed = runners.filter(([{ address }]) => living.has(format(address)) || format(address) === self)
      compare(new Set(listed.map(([{ address }]) => format(address))))
      return listed
    }).pipe(PersistenceError.refail, Effect.withTracerEnabled(false)),
    acquire,
    refresh: Effect.fnUntraced(function* (address, shardIds) {
      const asked = [...shardIds]
      if (asked.length === 0) return yield* inner.refresh(address, asked)
      // A refresh that fails took its session along, and the locks with it. Saying so takes less time than the cluster's
      // own way back from storage that it holds for broken.
      const refreshed = yield* Effect.catch(inner.refresh(address, asked), () => Effect.succeed([]))
      return (yield* lock.await(lockWaitMs)) ? refreshed : []
    })
  })
  const members = Members.of({ gone: Effect.suspend(() => Effect.andThen(left.await, Effect.sleep(assignedMs))) })
  return Context.make(RunnerStorage.RunnerStorage, storage).pipe(Context.add(Members, members))
})

/** Needs a client of its own: two of its connections stay reserved, and no load may keep it waiting. */
export const layer = Layer.effectContext(make).pipe(Layer.provide(SqlRunnerStorage.layerStorage({})))
