import type { SessionId } from "@troupe/domain/Ids"
import * as Cluster from "@troupe/server/cluster/Cluster"
import * as EventStoreMemory from "@troupe/server/log/EventStoreMemory"
import { Minting } from "@troupe/server/log/Minting"
import { AttemptDriver } from "@troupe/server/session/AttemptDriver"
import { Feeds } from "@troupe/server/session/Feeds"
import { RedactionApplier } from "@troupe/server/session/RedactionApplier"
import * as SessionActor from "@troupe/server/session/SessionActor"
import { Effect, Layer, Redacted, Stream } from "effect"
import { hash } from "node:crypto"

export const sha256 = (text: string): string => hash("sha256", text, "hex")

const databaseUrl = Redacted.make(process.env.DATABASE_URL!)

export const layerStore = EventStoreMemory.layer

/** A cluster of one, by the code that runs a cluster of many. */
export const layerCluster = Cluster.layer({ databaseUrl, host: "127.0.0.1", port: 0, release: "bench" })

/** Nobody runs turns here: what is measured is what a session does itself. */
const layerNoRunners = Layer.merge(
  Layer.succeed(AttemptDriver, {
    place: () => Effect.succeed({ _tag: "Waiting", reason: "no_runner" }),
    run: () => Stream.never,
    attach: () => Stream.never,
    acknowledge: () => Effect.void,
    deliver: () => Effect.void,
    revoke: () => Effect.void
  }),
  Layer.succeed(RedactionApplier, { apply: () => Effect.void })
)

/** What sessions need beside the store. */
export const layerSession = Layer.mergeAll(Minting.layer, Feeds.layer, layerNoRunners)

export const actorOf = (sessionId: string) =>
  SessionActor.make({ sessionId: sessionId as SessionId, shard: 1, sha256, react: () => undefined })
