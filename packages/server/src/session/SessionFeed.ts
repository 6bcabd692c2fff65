import { Effect, Stream } from "effect"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import * as Rpc from "effect/rpc/Rpc"
import { FedFrame, frames } from "./FedWire.ts"
import { Feeds } from "./Feeds.ts"

/** Streams what the session's owner publishes from now on. The first frame is empty: from it on, nothing is missed. */
const Watch = Rpc.make("Watch", { success: FedFrame, stream: true })
  // A watch ends when its entity does, instead of holding up the hand-over of the shard.
  .annotate(ClusterSchema.InterruptOnTermination, true)
  .annotate(ClusterSchema.ClientTracingEnabled, false)

/**
 * The feed of one session. It has the session's id and shard group, so it lives on the node that owns the session, but is
 * an entity of its own: who watches neither loads the session nor keeps it in memory.
 */
export const SessionFeed = Entity.make("SessionFeed", [Watch])

/**
 * Names the feeds that a watcher hears by itself. Where they are those of the owner's node, the stream says that the feed
 * stands and when it ends, and nothing else: the cluster's client takes more time for a frame than its readers do.
 */
export const heardHeader = "x-troupe-feeds"

export const layer = SessionFeed.toLayer(
  Effect.gen(function* () {
    const { entityId } = yield* Entity.CurrentAddress
    const feeds = yield* Feeds

    const watch = Effect.gen(function* () {
      const listener = yield* feeds.listen(entityId)
      const published = Stream.fromIterableEffectRepeat(Effect.map(listener.take, frames))
      return Stream.concat(Stream.succeed<FedFrame>([]), published)
    })

    return SessionFeed.of({
      // One frame a chunk: a chunk travels whole, and one that is too large takes the whole connection with it.
      Watch: ({ headers }) =>
        headers[heardHeader] === feeds.id
          ? Stream.concat(Stream.succeed<FedFrame>([]), Stream.never)
          : Stream.rechunk(Stream.unwrap(watch), 1)
    })
  }),
  {
    concurrency: "unbounded",
    mailboxCapacity: "unbounded",
    disableFatalDefects: true,
    maxIdleTime: 5_000
  }
)
