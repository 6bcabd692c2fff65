import { RunnerAway } from "@troupe/domain/runner/Attempt"
import { Context, Effect, Layer, Option, type Scope, Stream } from "effect"
import { NodeAddress } from "../cluster/Cluster.ts"
import type { Calls, RelayedCallTag, RelayedStreamTag } from "./Calls.ts"
import { Relays } from "./Relays.ts"
import { RunnerLinks } from "./RunnerLinks.ts"
import { RunnerRegistry } from "./RunnerRegistry.ts"

type Way = Calls<RelayedCallTag, RelayedStreamTag>

/** Calls any runner of the cluster: over this node's link, or through the node that holds it. */
export class Reach extends Context.Service<Reach, Way>()("server/Reach") {
  static readonly layer: Layer.Layer<Reach, never, RunnerLinks | Relays | RunnerRegistry | NodeAddress> = Layer.effect(
    Reach,
    Effect.suspend(() => make)
  )
}

/** How many runners' places are remembered. */
const rememberedMax = 10_000

const make = Effect.gen(function* () {
  const links = yield* RunnerLinks
  const relays = yield* Relays
  const registry = yield* RunnerRegistry
  const address = yield* NodeAddress
  const self = `${address.host}:${address.port}`
  const places = new Map<string, string>()

  const remember = (runnerId: string, node: string) => {
    if (places.size >= rememberedMax) places.clear()
    places.set(runnerId, node)
  }

  const find = Effect.fnUntraced(function* (runnerId: string) {
    const runner = yield* Effect.orDie(registry.find(runnerId))
    const node = Option.match(runner, { onNone: () => null, onSome: (one) => one.node })
    // A link of ours that was just closed still has its row for a moment.
    if (node === null || node === self) return yield* new RunnerAway({ runnerId })
    remember(runnerId, node)
    return node
  })

  /** Where a runner is, as far as is known. `fresh`: what was remembered turned out to be wrong. */
  const way = Effect.fnUntraced(function* (
    runnerId: string,
    fresh: boolean
  ): Effect.fn.Return<Way, RunnerAway, Scope.Scope> {
    const link = links.get(runnerId)
    if (link !== undefined) return link.connection
    if (fresh) places.delete(runnerId)
    return yield* relays.to(places.get(runnerId) ?? (yield* find(runnerId)))
  })

  /** A runner that is not where it was is looked for once more: it may have moved. */
  const isAway = (error: unknown): boolean => error instanceof RunnerAway

  const call = (runnerId: string, tag: RelayedCallTag, payload: never) => {
    const once = (fresh: boolean) =>
      Effect.scoped(Effect.flatMap(way(runnerId, fresh), (calls) => calls.call(runnerId, tag, payload)))
    return Effect.suspend(() => {
      const remembered = places.has(runnerId) && links.get(runnerId) === undefined
      return remembered ? Effect.catchIf(once(false), isAway, () => once(true)) : once(true)
    })
  }

  const stream = (runnerId: string, tag: RelayedStreamTag, payload: never) => {
    const once = (fresh: boolean): Stream.Stream<unknown, unknown> =>
      Stream.unwrap(
        Effect.map(way(runnerId, fresh), (calls): Stream.Stream<unknown, unknown> =>
          calls.stream(runnerId, tag, payload)
        )
      )
    return Stream.suspend(() => {
      const remembered = places.has(runnerId) && links.get(runnerId) === undefined
      if (!remembered) return once(true)
      let begun = false
      // What has begun to flow is not begun again from here: whoever reads knows how far it came.
      return once(false).pipe(
        Stream.tap(() => Effect.sync(() => void (begun = true))),
        Stream.catchIf(
          (error) => isAway(error) && !begun,
          () => once(true)
        )
      )
    })
  }

  return Reach.of({ call: call as never, stream: stream as never })
})
