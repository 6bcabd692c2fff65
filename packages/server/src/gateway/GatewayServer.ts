import type { ErrorType } from "@troupe/domain/api/ApiError"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"

const headersWithinMs = 30_000
/** A file of the largest size takes so long over a slow line. How slow a body may be is for those who read it to say. */
const requestWithinMs = 3_600_000

/**
 * Longer than proxies keep connections that nobody uses: whoever is the first to close one may meet a request on its way,
 * which then fails.
 */
const unusedWithinMs = 75_000

/** Nobody says goodbye for a machine that is gone: after so much silence, the other side of a connection is asked for. */
const askAfterMs = 60_000

interface Refusal {
  readonly status: number
  readonly reason: string
  readonly type: ErrorType
  readonly message: string
}

const malformed: Refusal = {
  status: 400,
  reason: "Bad Request",
  type: "invalid_request_error",
  message: "The request is not valid HTTP"
}

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: "Request Header Fields Too Large",
    type: "request_too_large",
    message: "The address and the headers of a request take at most 16 KB"
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: "Request Timeout",
    type: "timeout_error",
    message: "The request did not come in time"
  }
}

const expectation: Refusal = {
  ...malformed,
  status: 417,
  reason: "Expectation Failed",
  message: "Expect: takes 100-continue"
}

const noProxy: Refusal = {
  ...malformed,
  status: 405,
  reason: "Method Not Allowed",
  message: "CONNECT is not taken: this is a server and no proxy"
}

/** The same shape and headers that all refusals have, for requests that come no further than this. */
const answerOf = ({ message, type }: Refusal) => {
  const requestId = `req_${randomBytes(16).toString("hex")}`
  const body = JSON.stringify({ type: "error", error: { type, message }, request_id: requestId })
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "request-id": requestId,
    "x-content-type-options": "nosniff",
    connection: "close"
  }
  return { body, headers }
}

/** Written by hand: a request that could not be read has no response to write to. */
const refuse = (socket: Duplex, refusal: Refusal): void => {
  const { body, headers } = answerOf(refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${refusal.status} ${refusal.reason}\r\n${lines.join("")}\r\n${body}`, () => socket.destroy())
}

/** Whether another request's answer is on its way: what is written now would be taken for a part of it. */
const isAnswering = (request: IncomingMessage, response: ServerResponse): boolean =>
  !response.writableFinished && (request.complete || response.headersSent)

/** Whether a request may end in a WebSocket: all other offers of protocols are passed over. */
export const offersWebSocket = ({
  headers,
  method
}: {
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly method?: string | undefined
}): boolean => method === "GET" && String(headers["upgrade"] ?? "").toLowerCase() === "websocket"

/**
 * The HTTP server below the gateway. What is no HTTP is answered in the API's way too; what offers another protocol than
 * WebSocket, as clients do that would rather speak HTTP/2, is answered as if it had not.
 */
export const makeGatewayServer = (): Server => {
  const latest = new WeakMap<Duplex, () => boolean>()
  const server = createServer({
    headersTimeout: headersWithinMs,
    requestTimeout: requestWithinMs,
    keepAliveTimeout: unusedWithinMs,
    keepAlive: true,
    keepAliveInitialDelay: askAfterMs,
    requireHostHeader: false,
    shouldUpgradeCallback: offersWebSocket
  })
  server.prependListener("request", (request, response) => {
    latest.set(request.socket, () => isAnswering(request, response))
  })
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET" || latest.get(socket)?.() === true) socket.destroy()
    else refuse(socket, refusals[error.code ?? ""] ?? malformed)
  })
  server.on("connect", (_, socket) => refuse(socket, noProxy))
  server.on("checkExpectation", (_, response) => {
    const { body, headers } = answerOf(expectation)
    response.writeHead(expectation.status, headers).end(body)
  })
  return server
}
