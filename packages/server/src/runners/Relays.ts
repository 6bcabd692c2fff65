import { Context, Effect, Layer, RcMap, type Scope } from "effect"
import * as NetAddress from "effect/net/NetAddress"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Socket from "effect/socket/Socket"
import { derive } from "../cluster/ClusterSecret.ts"
import { type RelayedCallTag, RelayedRpc, type RelayedStreamTag } from "./Calls.ts"
import * as Connection from "./Connection.ts"
import { runnerHeader } from "./RelayServer.ts"

export type Relay = Connection.Connection<RelayedCallTag, RelayedStreamTag>

const pingMs = 5_000
const idleMs = 60_000

/** Connections to other nodes, for the runners whose sockets they hold: one for each, while it is used. */
export class Relays extends Context.Service<
  Relays,
  {
    /** By `host:port`. Whoever has it keeps it open. */ readonly to: (
      node: string
    ) => Effect.Effect<Relay, never, Scope.Scope>
  }
>()("server/Relays") {
  static readonly layer: Layer.Layer<Relays, SqlError, SqlClient.SqlClient | Socket.WebSocketConstructor> =
    Layer.effect(
      Relays,
      Effect.suspend(() => make)
    )
}

const make = Effect.gen(function* () {
  const path = yield* derive("relay")

  const relays = yield* RcMap.make({
    idleTimeToLive: idleMs,
    lookup: Effect.fnUntraced(function* (node: string) {
      const at = node.lastIndexOf(":")
      const host = NetAddress.formatUrlHostString(node.slice(0, at))
      const socket = yield* Socket.makeWebSocket(`ws://${host}:${node.slice(at + 1)}/${path}`, { openTimeout: 2_000 })
      const relay: Relay = yield* Connection.make(RelayedRpc as never, socket, {
        runnerHeader,
        pingInterval: pingMs
      }).pipe(Effect.provide(Connection.serialization))
      return relay
    })
  })

  const to = Effect.fnUntraced(function* (node: string) {
    const known = yield* RcMap.get(relays, node)
    if (!known.isClosed()) return known
    // It broke: whoever still has it sees that, and who comes now gets another.
    yield* RcMap.invalidate(relays, node)
    return yield* RcMap.get(relays, node)
  })

  return Relays.of({ to })
})
