import type { Recorded } from "@troupe/domain/log/Envelope"
import { Context, Effect, Latch, Layer, type Scope } from "effect"
import { randomUUID } from "node:crypto"

/** What watchers of a session get: committed events in order, and deltas of blocks that are still being written. */
export type Fed =
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<Recorded> }
  | {
      readonly _tag: "Delta"
      readonly blockId: string
      readonly offset: number
      readonly text: string
      readonly threadId: string
      /** `seq` of the last event that was committed before it. */
      readonly after: number
      /** Absent: of a message. Of thinking it says that it has begun, and has no text. */
      readonly kind?: "thinking"
    }

/** How far a slow listener may fall behind before it loses the oldest. It sees the hole in `seq` and reads the store. */
const behindMax = 256
const behindBytesMax = 4_194_304

export const bytesOf = (fed: Fed): number =>
  fed._tag === "Delta" ? fed.text.length : fed.events.reduce((sum, event) => sum + eventBytes(event), 0)

export const eventBytes = ({ actorText, payload }: Recorded): number => 600 + actorText.length + (payload?.length ?? 0)

export interface Listener {
  /** What came since the last call, at least one; waits for it. */
  readonly take: Effect.Effect<ReadonlyArray<Fed>>
}

class Waiting implements Listener {
  private readonly some = Latch.makeUnsafe(false)
  private fed: Array<Fed> = []
  private bytes = 0

  push(one: Fed, bytes: number): void {
    this.fed.push(one)
    this.bytes += bytes
    while (this.fed.length > 1 && (this.fed.length > behindMax || this.bytes > behindBytesMax)) {
      this.bytes -= bytesOf(this.fed.shift()!)
    }
    this.some.openUnsafe()
  }

  readonly take = Effect.map(this.some.await, () => {
    const taken = this.fed
    this.some.closeUnsafe()
    this.fed = []
    this.bytes = 0
    return taken
  })
}

/**
 * Where sessions of this node publish and watchers on it listen. It knows no session's state: listening neither wakes a
 * session nor keeps it.
 */
export class Feeds extends Context.Service<
  Feeds,
  {
    /** Differs from that of every other node. */
    readonly id: string
    readonly publish: (sessionId: string, fed: Fed) => void
    readonly listen: (sessionId: string) => Effect.Effect<Listener, never, Scope.Scope>
  }
>()("server/Feeds") {
  static readonly layer = Layer.sync(Feeds, () => {
    const feeds = new Map<string, Set<Waiting>>()
    return Feeds.of({
      id: randomUUID(),
      publish: (sessionId, fed) => {
        const listeners = feeds.get(sessionId)
        if (listeners === undefined) return
        const bytes = bytesOf(fed)
        for (const listener of listeners) listener.push(fed, bytes)
      },
      listen: (sessionId) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const listener = new Waiting()
            const listeners = feeds.get(sessionId)
            if (listeners === undefined) feeds.set(sessionId, new Set([listener]))
            else listeners.add(listener)
            return listener
          }),
          (listener) =>
            Effect.sync(() => {
              const listeners = feeds.get(sessionId)
              listeners?.delete(listener)
              if (listeners?.size === 0) feeds.delete(sessionId)
            })
        )
    })
  })
}
