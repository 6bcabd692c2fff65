import type { RunnerId } from "@troupe/domain/Ids"
import type { Hello, Load } from "@troupe/domain/runner/Hello"
import { Context, Effect, Latch, Layer, type Scope } from "effect"
import type { CallTag, StreamTag } from "./Calls.ts"
import type { Connection } from "./Connection.ts"
import type { RunnerIdentity } from "./RunnerRegistry.ts"

/** A runner's socket in this node's hands, from its hello to its end. */
export interface RunnerLink {
  readonly identity: RunnerIdentity
  readonly generation: number
  /** Of the protocol, as both sides speak it over this link. */
  readonly version: number
  readonly connection: Connection<CallTag, StreamTag>
  /** What it said of itself when it was greeted last. */
  hello: Hello
  /** As the last ping was answered. */
  load: Load
  /** How many attempts are followed over it now. */
  readonly followed: () => number
  /** Whether it was told, over this link, that nothing more is to be placed on it; null until the registry was asked. */
  drained: boolean | null
}

/** The links that this node holds: one for each runner at most, the newest. */
export class RunnerLinks extends Context.Service<
  RunnerLinks,
  {
    /** Holds a link until the scope ends, and closes the older one of this runner. False where it is the older one itself. */
    readonly hold: (link: RunnerLink) => Effect.Effect<boolean, never, Scope.Scope>
    readonly get: (runnerId: string) => RunnerLink | undefined
    readonly all: () => ReadonlyArray<RunnerLink>
    /** The next link that is held, of whichever runner. */
    readonly arrival: Effect.Effect<void>
  }
>()("server/RunnerLinks") {
  static readonly layer = Layer.sync(RunnerLinks, () => {
    const links = new Map<RunnerId, RunnerLink>()
    let arrived = Latch.makeUnsafe(false)

    const hold = Effect.fnUntraced(function* (link: RunnerLink) {
      const { runnerId } = link.identity
      const known = links.get(runnerId)
      if (known !== undefined && known.generation > link.generation) return false
      links.set(runnerId, link)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          // One that has come since stays.
          if (links.get(runnerId) === link) links.delete(runnerId)
        })
      )
      if (known !== undefined) yield* known.connection.close(4409, "a newer connection of this runner is here")
      const waiting = arrived
      arrived = Latch.makeUnsafe(false)
      waiting.openUnsafe()
      return true
    })

    return RunnerLinks.of({
      hold,
      get: (runnerId) => {
        const link = links.get(runnerId as RunnerId)
        return link === undefined || link.connection.isClosed() ? undefined : link
      },
      all: () => [...links.values()],
      arrival: Effect.suspend(() => arrived.await)
    })
  })
}
