import type { Recorded } from "@troupe/domain/log/Envelope"
import { Context, Effect, Layer, PubSub, type Scope } from "effect"

/** What watchers of a session get: committed events in order, and deltas of blocks that are still being written. */
export type Fed =
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<Recorded> }
  | {
      readonly _tag: "Delta"
      readonly blockId: string
      readonly offset: number
      readonly text: string
      readonly threadId: string
    }

/** Batches a slow watcher may fall behind before it loses some. It sees the hole in `seq` and reads the store. */
const behindMax = 256

/**
 * Where sessions of this node publish and watchers on it listen. It knows no session's state: listening neither wakes a
 * session nor keeps it.
 */
export class Feeds extends Context.Service<
  Feeds,
  {
    readonly publish: (sessionId: string, fed: Fed) => void
    readonly listen: (sessionId: string) => Effect.Effect<PubSub.Subscription<Fed>, never, Scope.Scope>
  }
>()("server/Feeds") {
  static readonly layer = Layer.sync(Feeds, () => {
    const feeds = new Map<string, { readonly pubsub: PubSub.PubSub<Fed>; listeners: number }>()
    return Feeds.of({
      publish: (sessionId, fed) => {
        const feed = feeds.get(sessionId)
        if (feed !== undefined) PubSub.publishUnsafe(feed.pubsub, fed)
      },
      listen: Effect.fnUntraced(function* (sessionId) {
        const feed = yield* Effect.acquireRelease(
          Effect.gen(function* () {
            const known = feeds.get(sessionId)
            if (known !== undefined) {
              known.listeners++
              return known
            }
            const made = { pubsub: yield* PubSub.sliding<Fed>(behindMax), listeners: 1 }
            feeds.set(sessionId, made)
            return made
          }),
          (feed) =>
            Effect.sync(() => {
              feed.listeners--
              if (feed.listeners === 0) feeds.delete(sessionId)
            })
        )
        return yield* PubSub.subscribe(feed.pubsub)
      })
    })
  })
}
