import * as PgClient from "@effect/sql-pg/PgClient"
import type { SessionId } from "@troupe/domain/Ids"
import * as Cluster from "@troupe/server/cluster/Cluster"
import * as EventStorePg from "@troupe/server/log/EventStorePg"
import { Minting } from "@troupe/server/log/Minting"
import { Feeds } from "@troupe/server/session/Feeds"
import { LiveSessions } from "@troupe/server/session/LiveSessions"
import { RedactionApplier } from "@troupe/server/session/RedactionApplier"
import * as SessionActor from "@troupe/server/session/SessionActor"
import { Effect, Layer, Redacted } from "effect"
import { hash } from "node:crypto"
import * as NoRunners from "../../../packages/server/test/support/NoRunners.ts"

export const sha256 = (text: string): string => hash("sha256", text, "hex")

const databaseUrl = Redacted.make(process.env.DATABASE_URL!)

export const layerDatabase = PgClient.layer({ url: databaseUrl, applicationName: "bench" })

export const layerStore = EventStorePg.layer.pipe(Layer.provideMerge(layerDatabase))

/** A cluster of one, by the code that runs a cluster of many. */
export const layerCluster = Cluster.layer({ databaseUrl, host: "127.0.0.1", port: 0, release: "bench" })

/** Nobody runs turns here: what is measured is what a session does itself. */
const layerNoRedactions = Layer.succeed(RedactionApplier, { apply: () => Effect.void })

/** What sessions need beside the store. */
export const layerSession = Layer.mergeAll(
  Minting.layer,
  Feeds.layer,
  LiveSessions.layer,
  NoRunners.layer,
  layerNoRedactions
)

export const actorOf = (sessionId: string) =>
  SessionActor.make({
    sessionId: sessionId as SessionId,
    shard: 1,
    sha256,
    react: () => undefined,
    stop: () => undefined
  })
