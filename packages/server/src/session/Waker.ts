import { Clock, Effect } from "effect"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as ShardId from "effect/cluster/ShardId"
import { EventStore, type Due } from "../log/EventStore.ts"
import { SessionEntity } from "./SessionEntity.ts"

const pageMax = 500
const everyMs = 1_000

/**
 * Nobody calls a session whose owner died, and volatile messages wake nothing. So each second this node reads the due
 * rows of the shards it owns and wakes them: recovery, retries, expiries and schedules are this one mechanism. A double
 * or late wake finds nothing to do.
 */
export const wakeDue = Effect.gen(function* () {
  const store = yield* EventStore
  const sharding = yield* Sharding.Sharding
  const config = yield* ShardingConfig.ShardingConfig
  const clientFor = yield* SessionEntity.client
  const clock = yield* Clock.Clock
  const awake = new Map<string, number>()

  const owned = (): ReadonlyArray<number> => {
    const shards: Array<number> = []
    for (let id = 1; id <= config.shardsPerGroup; id++) {
      if (sharding.hasShardId(ShardId.make("default", id))) shards.push(id)
    }
    return shards
  }

  const pass = Effect.gen(function* () {
    const shards = owned()
    if (shards.length === 0) return
    const nowMs = clock.currentTimeMillisUnsafe()
    const due: Array<Due> = []
    // All pages: live sessions are always due, and must not hide those whose time has come behind them.
    for (let after: Due | null = null; ; after = due.at(-1)!) {
      const page: ReadonlyArray<Due> = yield* store.due({ shards, nowMs, after, limit: pageMax })
      due.push(...page)
      if (page.length < pageMax) break
    }
    // A live session stays due while its turn runs: it is asked again only after a while, in case it was put away.
    for (const [id, at] of awake) if (nowMs - at > 10 * everyMs) awake.delete(id)
    yield* Effect.forEach(
      due.filter(({ streamId }) => !awake.has(streamId)),
      ({ streamId }) => {
        awake.set(streamId, nowMs)
        return Effect.forkChild(Effect.ignoreCause(clientFor(streamId).Wake()))
      },
      { discard: true }
    )
  })

  return yield* pass.pipe(
    Effect.catchCause((cause) => Effect.logWarning("Could not look for due sessions", cause)),
    Effect.andThen(Effect.sleep(everyMs)),
    Effect.forever
  )
})
