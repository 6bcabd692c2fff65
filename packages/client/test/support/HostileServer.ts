import { once } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export type Handler = (response: ServerResponse, seen: Seen) => void | Promise<void>

/** Answers one request after the other as it is told to, the last way for all that follow. */
export class HostileServer {
  readonly seen: Array<Seen> = []
  readonly baseURL: string
  private readonly server: Server
  private handlers: Array<Handler>

  private constructor(server: Server, handlers: ReadonlyArray<Handler>) {
    this.server = server
    this.handlers = [...handlers]
    this.baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(...handlers: ReadonlyArray<Handler>): Promise<HostileServer> {
    const server = createServer((request, response) => void hostile.take(request, response))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const hostile: HostileServer = new HostileServer(server, handlers)
    return hostile
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, "close")
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method = "", url = "" } = request
    const seen = { method, url, headers, body: await text(request) }
    this.seen.push(seen)
    const handler = this.handlers.length > 1 ? this.handlers.shift()! : this.handlers[0]!
    await handler(response, seen)
  }
}

export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Handler =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", "request-id": "req_1", ...headers })
    response.end(JSON.stringify(body))
  }

export const refusal = (status: number, type: string, headers: Readonly<Record<string, string>> = {}): Handler =>
  json({ type: "error", error: { type, message: `It is ${type}` }, request_id: "req_1" }, status, headers)

export const soon = { "retry-after-ms": "1" }

export const sse = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "request-id": "req_s" })
  response.flushHeaders()
}

/** Writes and waits until it is on its way, so that a cut comes after it. */
export const write = (response: ServerResponse, words: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => response.write(words, () => resolve()))

export const logEvent = (seq: number, type = "TurnStarted", payload: object = { turnId: "turn_1" }) => ({
  seq,
  id: `sevt_${seq}`,
  type,
  version: 1,
  recorded_at: "2026-01-01T00:00:00.000000Z",
  thread_id: null,
  actor: { type: "system" },
  causation_id: "cmd_1",
  correlation_id: "0",
  epoch: 1,
  commitment: "0",
  chain: "0",
  payload
})

export const frameOf = (event: { readonly type: string; readonly seq?: number }): string =>
  `${event.seq === undefined ? "" : `id: ${event.seq}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
