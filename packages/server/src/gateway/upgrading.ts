import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Socket } from "effect/socket/Socket"

const noSocket = new ApiFailure({
  type: "invalid_request_error",
  status: 426,
  message: "This address takes WebSockets alone"
})

/** The socket that a request asks for, or an answer to one that asks for none. */
export const upgrading = (request: HttpServerRequest): Effect.Effect<Socket, ApiFailure> =>
  request.headers["upgrade"]?.toLowerCase() === "websocket" ? Effect.orDie(request.upgrade) : Effect.fail(noSocket)
