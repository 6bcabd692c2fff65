import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import { Clock, Deferred, Effect, Layer, type Redacted } from "effect"
import * as NetAddress from "effect/net/NetAddress"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as SocketServer from "effect/socket/SocketServer"
import * as RunnerHandlers from "./RunnerHandlers.ts"
import { type Closing, messageBytesMax, open } from "./RunnerSocket.ts"

/** It listens nowhere: its one connection is the one that it dialled. */
const nowhere = NetAddress.unixPathAddress("")

export interface LinkTiming {
  /** Without a ping for so long, the node is dead or can't be reached. */
  readonly silentMs: number
}

/** How a connection went: whether a node greeted the runner over it, and why it ended. */
export interface LinkEnd extends Closing {
  readonly greeted: boolean
  readonly lastedMs: number
}

/** One connection to a node, from dialling it to its end. The node calls, and this runner serves. */
export const serve = Effect.fnUntraced(function* (
  server: string,
  credential: Redacted.Redacted,
  self: RunnerHandlers.Self,
  timing: LinkTiming,
  onGreeted: (node: string) => void
) {
  const clock = yield* Clock.Clock
  const { close, closing, socket } = yield* open(server, credential)
  const now = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  const openedAt = now()
  let heardAt = openedAt
  let greeted = false
  const ended = yield* Deferred.make<void>()

  const signs: RunnerHandlers.LinkSigns = {
    greeted: ({ generation, node }) => {
      greeted = true
      heardAt = now()
      onGreeted(`${node}, connection ${generation}`)
    },
    heard: () => {
      heardAt = now()
    }
  }

  /** One that is frozen, or behind a cut, ends no connection by itself. */
  const silence: Effect.Effect<void> = Effect.suspend(() => {
    const left = heardAt + timing.silentMs - now()
    if (left > 0) return Effect.andThen(Effect.sleep(left), silence)
    return Effect.sync(() => close(4408, "nothing was heard"))
  })

  const sockets = SocketServer.SocketServer.of({
    address: nowhere,
    run: (handler) =>
      handler(socket).pipe(
        Effect.exit,
        Effect.andThen(Deferred.succeed(ended, undefined)),
        Effect.andThen(Effect.never)
      )
  })
  const transport = RpcServer.layerProtocolSocketServer.pipe(
    Layer.provide(Layer.succeed(SocketServer.SocketServer, sockets)),
    Layer.provide(guarded((detail) => close(1003, detail)))
  )
  const rpc = RpcServer.layer(RunnerRpc, { disableTracing: true, disableFatalDefects: true }).pipe(
    Layer.provide(RunnerHandlers.layer(self, signs)),
    Layer.provide(transport)
  )
  yield* Layer.build(rpc)
  yield* Effect.raceFirst(Deferred.await(ended), silence)
  const { code, reason } = closing() ?? { code: 1006, reason: "the connection broke" }
  return { code, reason, greeted, lastedMs: now() - openedAt } satisfies LinkEnd
}, Effect.scoped)

/** What can't be read is no message of a node: nothing that comes after it could be believed. */
const guarded = (broken: (detail: string) => void) =>
  Layer.effect(
    RpcSerialization.RpcSerialization,
    Effect.map(RpcSerialization.RpcSerialization, (inner) => ({
      ...inner,
      makeUnsafe: () => {
        const parser = inner.makeUnsafe()
        return {
          ...parser,
          decode: (data: Uint8Array | string) => {
            try {
              return parser.decode(data)
            } catch {
              broken("what came is no message of the protocol")
              return []
            }
          }
        }
      }
    }))
  ).pipe(Layer.provide(RpcSerialization.layerSchemaBinary({ maxFrameSize: messageBytesMax })))
