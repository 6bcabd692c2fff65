import type { ApiFailure } from "@troupe/domain/api/ApiError"
import { SessionRpc } from "@troupe/domain/api/SessionRpc"
import * as FlowControl from "@troupe/domain/rpc/FlowControl"
import { Effect, Layer, Queue, Schedule, Stream } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"

type Options = NonNullable<ConstructorParameters<typeof WebSocket>[1]>

/** Node, Deno and Bun let a socket be opened with headers, which the types of browsers do not know. */
const constructor = Layer.succeed(
  Socket.WebSocketConstructor,
  (url, options) => new WebSocket(url, options as Options) as Socket.WebSocketLike
)

/** Again and again, ever later, never all at once: what waits meanwhile fails by itself. */
const dialling = Schedule.jittered(Schedule.min([Schedule.exponential(100, 2), Schedule.spaced(5_000)]))

/** A socket to a server that is dialled anew when it breaks: calls that are under way then fail. */
export const link = Effect.fnUntraced(
  function* (url: string, secret: string) {
    const socket = yield* Socket.makeWebSocket(url, { headers: { authorization: `Bearer ${secret}` } })
    const transport = yield* RpcClient.makeProtocolSocket({
      retryPolicy: dialling,
      pingInterval: 10_000,
      pingTimeout: 30_000
    }).pipe(Effect.provideService(Socket.Socket, socket))
    const flow = FlowControl.make(transport)
    const client = yield* RpcClient.make(SessionRpc, { disableTracing: true }).pipe(
      Effect.provideService(RpcClient.Protocol, flow.protocol)
    )

    /** A reader who looks away holds up its own stream alone. */
    const log = (payload: Parameters<typeof client.FollowLog>[0]): Stream.Stream<string, ApiFailure | RpcClientError> =>
      Stream.unwrap(
        Effect.gen(function* () {
          const { gate, name } = yield* flow.open
          const queue = yield* client.FollowLog(payload, {
            asQueue: true,
            streamBufferSize: Number.MAX_SAFE_INTEGER,
            headers: { [FlowControl.gateHeader]: name }
          })
          gate.queue = queue
          return Stream.fromPull(Effect.succeed(Effect.tap(Queue.takeAll(queue), FlowControl.caughtUp(gate))))
        })
      )
    return { client, log }
  },
  Effect.provide(Layer.merge(constructor, RpcSerialization.layerJson))
)
