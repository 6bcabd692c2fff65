import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Limits } from "@troupe/domain/Limits"
import * as Tracing from "@troupe/domain/telemetry/Tracing"
import { Effect, Layer, Option } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import { join } from "node:path"
import * as Cluster from "./cluster/Cluster.ts"
import type { NodeConfig } from "./Config.ts"
import * as FileServices from "./files/FileServices.ts"
import * as BootstrapKey from "./gateway/BootstrapKey.ts"
import { WorkspaceFeed } from "./feed/WorkspaceFeed.ts"
import * as Gateway from "./gateway/Gateway.ts"
import { makeGatewayServer } from "./gateway/GatewayServer.ts"
import * as Health from "./Health.ts"
import { inboxProjection } from "./inbox/inboxProjection.ts"
import { OutboundHttp } from "./outbound/OutboundHttp.ts"
import { OwnServices } from "./outbound/OwnServices.ts"
import * as EventStorePg from "./log/EventStorePg.ts"
import { Horizon } from "./log/Horizon.ts"
import * as LogFormat from "./log/LogFormat.ts"
import { Minting } from "./log/Minting.ts"
import * as RecentEvents from "./log/RecentEvents.ts"
import * as Projector from "./log/Projector.ts"
import { sha256 } from "./log/sha256.ts"
import { WorkspaceLog } from "./log/WorkspaceLog.ts"
import { Database } from "./postgres/Database.ts"
import { HomeLock } from "./postgres/HomeLock.ts"
import { migrate } from "./postgres/Migrator.ts"
import * as TransactionIds from "./postgres/TransactionIds.ts"
import { release } from "./release.ts"
import { purging } from "./purge/Purger.ts"
import { messageBytesMax } from "./runners/Connection.ts"
import { ContactLease } from "./runners/LinkLife.ts"
import * as RelayServer from "./runners/RelayServer.ts"
import * as Runners from "./runners/Runners.ts"
import { searchProjection } from "./search/SearchProjection.ts"
import { MasterKeys } from "./secrets/MasterKeys.ts"
import { SecretBox } from "./secrets/SecretBox.ts"
import type { AttemptDriver } from "./session/AttemptDriver.ts"
import { CommandBytesMax } from "./session/CommandBytesMax.ts"
import { Feeds } from "./session/Feeds.ts"
import { LiveSessions } from "./session/LiveSessions.ts"
import * as RedactionApplierPg from "./session/RedactionApplierPg.ts"
import * as SessionEntity from "./session/SessionEntity.ts"
import * as SessionFeed from "./session/SessionFeed.ts"
import { Sessions } from "./session/Sessions.ts"
import { wakeDue } from "./session/Waker.ts"
import { Watchers } from "./session/Watchers.ts"
import { waitingProjection } from "./turns/waitingProjection.ts"
import { DayBudgets } from "./usage/DayBudgets.ts"
import { Usage } from "./usage/Usage.ts"
import { usageProjection } from "./usage/UsageProjection.ts"
import { Policies } from "./workspace/Policies.ts"
import { SettingsStore } from "./workspace/SettingsStore.ts"

const migrations = join(import.meta.dirname, "../../../migrations")
/** How long a node that is told to stop lets running requests finish before it hands its sessions over. */
const requestsMs = 500

type DatabaseError = Layer.Error<ReturnType<typeof Database.layer>> | Layer.Error<ReturnType<typeof HomeLock.layer>>

const database = (config: NodeConfig, supervised: boolean): Layer.Layer<Database, DatabaseError> =>
  Option.match(config.databaseUrl, {
    onNone: (): Layer.Layer<Database, DatabaseError> =>
      supervised
        ? Database.layerRunning(config.home)
        : Database.layerEmbedded().pipe(Layer.provide(HomeLock.layer(config.home))),
    onSome: (url) =>
      Database.layerExternal({
        url,
        ...(Option.isSome(config.databaseOwnerUrl) ? { ownerUrl: config.databaseOwnerUrl.value } : {})
      })
  })

/** The database, migrated: whatever is built on it finds its tables, and a log that may be read. */
const migrated = (config: NodeConfig, supervised: boolean) =>
  Layer.effectDiscard(Effect.andThen(migrate({ directory: migrations }), TransactionIds.catchUp())).pipe(
    Layer.provide(Database.layerOwner()),
    Layer.provide(NodeServices.layer),
    Layer.provideMerge(database(config, supervised))
  )

const cluster = (config: NodeConfig) =>
  Layer.unwrap(
    Effect.map(Database, ({ appUrl }) =>
      Cluster.layer({ databaseUrl: appUrl, ...config.nodeAddress, release }, RelayServer.routes)
    )
  )

/** What workspaces settled, and what they used. */
const settled = (config: NodeConfig) =>
  Layer.mergeAll(DayBudgets.layer({ freshMs: 500 }), Policies.layer(config.policies)).pipe(
    Layer.provideMerge(Layer.mergeAll(Usage.layer, SettingsStore.layer)),
    Layer.provide(WorkspaceLog.layer)
  )

/** What seals secrets for the database. */
const secrets = (config: NodeConfig) =>
  SecretBox.layer.pipe(Layer.provide(MasterKeys.layer(config.home, config.masterKey)))

/** Keeps read tables up to date with the log. */
const projecting = Layer.effectDiscard(
  Effect.all([
    Effect.forkScoped(Projector.run(usageProjection)),
    Effect.forkScoped(Projector.run(inboxProjection)),
    Effect.forkScoped(Projector.run(waitingProjection, { idle: "500 millis", elsewhere: "1 second" })),
    Effect.forkScoped(Projector.run(searchProjection, { idle: "300 millis", elsewhere: "1 second" }))
  ])
)

interface Replaced {
  /** How turns get done, if not by the runners that dial in. */
  readonly driver?: Layer.Layer<AttemptDriver>
  /** What the log is kept by, if not by the store that keeps every promise. */
  readonly log?: typeof EventStorePg.layer
  /** Home and Postgres are in the hands of who started it, and there is a runner beside it without which it is not ready. */
  readonly supervised?: boolean
}

/** The sessions of this node, its way to those of others, and the runners that work for them. */
const sessions = (config: NodeConfig, { driver, log = EventStorePg.layer, supervised = false }: Replaced) => {
  const entities = Layer.merge(
    SessionFeed.layer,
    SessionEntity.layer({
      sha256,
      idleMs: 60_000,
      lostAfterMs: config.contactLeaseMs + Limits.contactMarginMs
    })
  )
  const callable = Layer.mergeAll(
    Sessions.layer(),
    Watchers.layer(),
    Layer.effectDiscard(Effect.forkScoped(wakeDue)),
    Layer.effectDiscard(Effect.forkScoped(purging(config.keepDeletedMs))),
    projecting
  )
  const files = FileServices.layer({
    files: config.files,
    home: config.home,
    isShared: Option.isSome(config.databaseUrl)
  })
  return Layer.mergeAll(Runners.service, Gateway.services({ perMinute: config.requestsPerMinute }), files).pipe(
    Layer.provideMerge(callable),
    Layer.provideMerge(entities),
    Layer.provide([Feeds.layer, LiveSessions.layer, RedactionApplierPg.layer, driver ?? Runners.driver]),
    Layer.provideMerge(Runners.reach),
    Layer.provideMerge(Layer.merge(log, RecentEvents.layer)),
    Layer.provideMerge(Horizon.layer),
    Layer.provideMerge(cluster(config)),
    Layer.provide(Runners.bootstrap(config.runnerToken)),
    Layer.provideMerge(settled(config)),
    Layer.provide(BootstrapKey.layer(config.home, config.apiKey)),
    Layer.provideMerge(Runners.registry),
    Layer.provideMerge(secrets(config)),
    Layer.provideMerge(Layer.unwrap(Effect.map(OwnServices, ({ rules }) => OutboundHttp.layer(rules)))),
    Layer.provideMerge(OwnServices.layer(config)),
    Layer.provideMerge(Minting.layer),
    Layer.provideMerge(LogFormat.layer()),
    Layer.provideMerge(Database.layerApp()),
    Layer.provide(migrated(config, supervised))
  )
}

/** Spans of this node; those of requests that only ask whether it lives say nothing. */
const tracing = (config: NodeConfig) =>
  Layer.merge(
    Tracing.layer({ config: config.tracing, serviceName: "troupe-node", serviceVersion: release }).pipe(
      Layer.provide(FetchHttpClient.layer)
    ),
    HttpMiddleware.layerTracerDisabledForUrls(["/healthz", "/readyz"])
  )

export interface NodeOptions<R> extends Replaced {
  readonly routes?: Layer.Layer<never, never, R>
}

type SessionServices = Layer.Success<ReturnType<typeof sessions>>
type RouteServices = SessionServices | HttpRouter.HttpRouter | HttpRouter.Request.From<"Requires", SessionServices>

/** Without it, the router would be the one that the cluster made before: each port would serve the routes of both. */
const ownRouter = Layer.sync(Layer.CurrentMemoMap)(() => Layer.makeMemoMapUnsafe())

/**
 * One node. It stops in the reverse of the order it starts in: streams end, the gateway finishes what it began, sessions
 * are handed over, and only then does the database go.
 */
export const layer = <R extends RouteServices = never>(config: NodeConfig, options: NodeOptions<R> = {}) => {
  const { supervised = false } = options
  const health = Health.routes({ needsRunner: supervised })
  const api = Gateway.routes(config)
  const routes = Layer.mergeAll(health, Runners.routes, api, options.routes ?? Layer.empty)
  const gateway = HttpRouter.serve(routes, { disableLogger: true, routerConfig: Gateway.exactPaths }).pipe(
    Layer.provide(ownRouter),
    Layer.provideMerge(
      NodeHttpServer.layer(makeGatewayServer, {
        ...config.gateway,
        gracefulShutdownTimeout: requestsMs,
        websocket: { maxPayload: messageBytesMax + 65_536 }
      })
    )
  )
  const endStreamsFirst = Layer.effectDiscard(
    Effect.all([
      Effect.flatMap(Watchers, ({ stop }) => Effect.addFinalizer(() => stop)),
      Effect.flatMap(WorkspaceFeed, ({ stop }) => Effect.addFinalizer(() => stop))
    ])
  )
  return endStreamsFirst.pipe(
    Layer.provideMerge(gateway),
    Layer.provideMerge(sessions(config, options)),
    Layer.provide([
      Layer.succeed(ContactLease, config.contactLeaseMs),
      Layer.succeed(CommandBytesMax, config.commandBytesMax),
      tracing(config)
    ])
  )
}
