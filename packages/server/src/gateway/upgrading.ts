import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Socket } from "effect/socket/Socket"

export const noSocket = new ApiFailure({
  type: "invalid_request_error",
  status: 426,
  message: "This address takes WebSockets alone"
})

/** Whether what a request asks for is a socket, with all that the handshake needs. */
export const asksForSocket = ({ headers }: Pick<HttpServerRequest, "headers">): boolean =>
  headers["upgrade"]?.toLowerCase() === "websocket" &&
  headers["sec-websocket-version"] === "13" &&
  /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "")

/** The socket that a request asks for, or an answer to one that asks for none. */
export const upgrading = (request: HttpServerRequest): Effect.Effect<Socket, ApiFailure> =>
  asksForSocket(request) ? Effect.orDie(request.upgrade) : Effect.fail(noSocket)
