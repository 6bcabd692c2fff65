import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import * as HttpRunner from "effect/cluster/HttpRunner"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { createServer } from "node:http"
import { formatRead } from "../log/LogFormat.ts"
import { derive } from "./ClusterSecret.ts"
import * as Membership from "./Membership.ts"
import { NodeLock } from "./NodeLock.ts"
import { lockExpirationMs, lockRefreshMs, shardsPerGroup } from "./shards.ts"

export interface ClusterOptions {
  readonly databaseUrl: Redacted.Redacted
  /** Where this node listens for other nodes. Port 0 takes any free one. */
  readonly host: string
  readonly port: number
  readonly release: string
}

/** What the connections of a node's cluster are called in `pg_stat_activity`: whose locks on shards are whose. */
export const clusterName = (nodeId: string): string => `troupe cluster ${nodeId}`

/** Where other nodes reach this one. */
export class NodeAddress extends Context.Service<NodeAddress, RunnerAddress.RunnerAddress>()("server/NodeAddress") {}

const sharding = (address: RunnerAddress.RunnerAddress): ShardingConfig.ShardingConfig["Service"] => ({
  ...ShardingConfig.defaults,
  runnerAddress: Option.some(address),
  shardsPerGroup,
  shardLockExpiration: lockExpirationMs,
  shardLockRefreshInterval: lockRefreshMs,
  refreshAssignmentsInterval: 500,
  // Nothing is stored as a message, so this only says how soon a failed acquisition is tried again.
  entityMessagePollInterval: 200,
  entityTerminationTimeout: 300,
  runnerHealthCheckInterval: 10_000,
  sendRetryInterval: 50,
  maxResidentEntities: "unbounded",
  simulateRemoteSerialization: false
})

/**
 * One node of the cluster; a single node is a cluster of one, by the same code. Nodes know each other by a secret from the
 * database, and present what is derived from it as the path: there is no other door. `routes` are doors like it.
 */
export const layer = <E = never, R = never>(
  options: ClusterOptions,
  routes: Layer.Layer<never, E, HttpRouter.HttpRouter | RpcSerialization.RpcSerialization | R> = Layer.empty
) => {
  const database = Layer.unwrap(
    Effect.map(NodeLock, ({ nodeId }) =>
      PgClient.layer({
        url: options.databaseUrl,
        applicationName: clusterName(nodeId),
        minConnections: 1,
        maxConnections: 4
      })
    )
  )

  // The port is known once it is listened on, so the address follows the server, and not the other way round.
  const server = NodeHttpServer.layerServer(createServer, {
    host: options.host,
    port: options.port,
    gracefulShutdownTimeout: 200
  })
  const config = Layer.unwrap(
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      if (!("port" in address)) return yield* Effect.die(new Error("The cluster needs a TCP port"))
      const self = RunnerAddress.make(options.host, address.port)
      return Layer.succeedContext(
        Context.make(NodeAddress, self).pipe(Context.add(ShardingConfig.ShardingConfig, sharding(self)))
      )
    })
  )

  const transport = Layer.unwrap(
    Effect.gen(function* () {
      const path = `/${yield* derive("cluster")}` as const
      const client = HttpRunner.layerClientProtocolWebsocket({ path })
      const health = RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc), Layer.provide(client))
      const own = HttpRunner.layerWebsocketOptions({ path }).pipe(Layer.provide([client, health]))
      return HttpRouter.serve(Layer.merge(own, routes), { disableLogger: true })
    })
  )

  return transport.pipe(
    Layer.provide(MessageStorage.layerNoop),
    Layer.provideMerge(Membership.layer),
    Layer.provide([
      database,
      NodeSocket.layerWebSocketConstructor,
      // Ndjson takes 4.5 times as long for events of some kilobytes.
      RpcSerialization.layerSchemaBinary()
    ]),
    Layer.provideMerge(NodeLock.layer({ url: options.databaseUrl, release: options.release, reads: formatRead })),
    Layer.provideMerge(config),
    Layer.provide(server)
  )
}
