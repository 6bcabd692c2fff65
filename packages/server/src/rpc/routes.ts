import { rpc } from "@troupe/domain/api/Feed"
import { SessionRpc } from "@troupe/domain/api/SessionRpc"
import { Effect, Layer } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Socket from "effect/socket/Socket"
import { revoked } from "../gateway/revoked.ts"
import { rawRoute } from "../gateway/Route.ts"
import { upgrading } from "../gateway/upgrading.ts"
import { callsUnderWay } from "./callsUnderWay.ts"
import { withRoom } from "./largeFrames.ts"
import { handlers } from "./sessionCalls.ts"
import { typedExits } from "./typedExits.ts"

const closes = {
  garbage: new Socket.CloseEvent(4400, "what came is no message of this protocol"),
  revoked: new Socket.CloseEvent(4401, "the key opens nothing any more"),
  stops: new Socket.CloseEvent(1012, "the node stops")
}

type Transport = Effect.Success<typeof RpcServer.makeProtocolWithHttpEffectWebsocket>

/** One socket. Each call over it is let in by itself, with the key that the socket was opened with. */
const serve = ({ httpEffect }: Transport) =>
  Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const socket = yield* upgrading(request)
    const writer = yield* socket.writer
    const close = (closing: Socket.CloseEvent) => Effect.ignore(Effect.timeout(writer.write(closing), 1_000))
    const opened = { headers: request.headers, upgrade: Effect.succeed(yield* withRoom(socket, request)) }
    yield* httpEffect.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, opened as never),
      // What can't be read breaks the reader, and the number of a call that is under way interrupts it. Where the other side
      // is gone already, nobody hears of it.
      Effect.catchCause((cause) =>
        Effect.andThen(Effect.logDebug("An RPC socket broke", cause), close(closes.garbage))
      ),
      // Before the socket's own end, which would say nothing of the reason.
      Effect.onInterrupt(() => close(closes.stops)),
      Effect.raceFirst(Effect.andThen(revoked(request), close(closes.revoked)))
    )
    return HttpServerResponse.empty()
  }, Effect.scoped)

/** Sessions over RPC. */
export const routes = Layer.unwrap(
  Effect.map(RpcServer.makeProtocolWithHttpEffectWebsocket, (transport) =>
    Layer.merge(
      rawRoute(rpc, "read", (_, request) => serve(transport)(request)),
      RpcServer.layer(SessionRpc, { disableTracing: true, disableFatalDefects: true, concurrency: "unbounded" }).pipe(
        Layer.provide(handlers),
        Layer.provide(
          Layer.succeed(
            RpcServer.Protocol,
            callsUnderWay(typedExits(transport.protocol), (tag) => tag === "FollowLog")
          )
        )
      )
    )
  )
).pipe(Layer.provide(RpcSerialization.layerJson))
