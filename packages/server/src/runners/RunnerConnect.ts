import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import { Effect } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { CallTag, StreamTag } from "./Calls.ts"
import * as Connection from "./Connection.ts"
import { serveLink } from "./LinkLife.ts"
import { asksForSocket, noSocket } from "../gateway/upgrading.ts"
import { apiError } from "./ApiError.ts"
import { authenticatedRunner, refusing } from "./RunnerAuth.ts"

/** Ours is the ping that counts: the transport's own stays out of the way. */
const transportPingMs = 3_600_000
/** How long a closing connection waits for its other side to say goodbye. */
const goodbyeMs = 1_000

const connect = Effect.gen(function* () {
  const identity = yield* authenticatedRunner
  const request = yield* HttpServerRequest.HttpServerRequest
  if (!asksForSocket(request)) return yield* apiError("invalid_request_error", noSocket.message, noSocket.status)
  const { localAddress: host = "", localPort: port = 0 } = NodeHttpServerRequest.toIncomingMessage(request).socket
  const socket = yield* Effect.orDie(request.upgrade)
  const connection = yield* Connection.make<CallTag, StreamTag>(RunnerRpc as never, socket, {
    pingInterval: transportPingMs
  }).pipe(Effect.provide(Connection.serialization))
  // A node that stops says so: its runners dial another one at once.
  yield* Effect.addFinalizer(() => connection.close(1012, "the node stops"))
  yield* serveLink(connection, identity, { host, port }).pipe(
    Effect.catch((error) =>
      "code" in error
        ? connection.close(error.code, error.detail)
        : Effect.andThen(
            Effect.logError("A runner could not be registered", error),
            connection.close(1013, "try again")
          )
    )
  )
  const { code, reason } = yield* connection.closed
  yield* Effect.logInfo("A runner's connection ended").pipe(
    Effect.annotateLogs({ runnerId: identity.runnerId, name: identity.name, code, reason })
  )
  yield* Effect.sleep(code === 1006 ? 0 : goodbyeMs)
  return HttpServerResponse.empty()
}).pipe(refusing, Effect.scoped)

/** Where runners dial in. */
export const routes = HttpRouter.add("GET", "/v1/runners/connect", connect)
