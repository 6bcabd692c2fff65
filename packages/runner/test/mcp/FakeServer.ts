import type { Json, JsonObject } from "@troupe/domain/Json"
import { Effect, type Scope } from "effect"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { httpServer } from "../support/LocalServer.ts"

export interface Received {
  readonly id?: number | string
  readonly method: string
  readonly params?: JsonObject
}

export interface Exchange {
  readonly message: Received
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly answer: (result: Json) => void
  /** Opens a stream of events for this answer. */
  readonly stream: () => (event: JsonObject) => void
}

/** What the test plays of a server, by method. Answering true leaves the rest to the usual. */
export type Play = Readonly<Record<string, (exchange: Exchange) => unknown>>

export const tool = (name: string, inputSchema: Json = { type: "object" }): JsonObject => ({ name, inputSchema })

/** A server of streamable HTTP that does what it is told, however wrong. */
export const fakeServer = Effect.fnUntraced(function* (
  play: Play,
  capabilities: JsonObject = { tools: {} },
  listen: (listener: RequestListener) => Effect.Effect<number, never, Scope.Scope> = httpServer
) {
  const received: Array<Received> = []
  const open = new Set<ServerResponse>()
  let farewells = 0
  const usual: Play = {
    initialize: ({ answer }) =>
      answer({ protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "fake", version: "1" } }),
    "server/discover": ({ message, response }) => {
      response.writeHead(400, { "content-type": "application/json" })
      response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, error: { code: -32_601, message: "not known" } }))
    },
    "tools/list": ({ answer }) => answer({ tools: [tool("work")] }),
    "tools/call": ({ answer }) => answer({ content: [{ type: "text", text: "done" }] })
  }
  const port = yield* listen((request, response) => {
    open.add(response)
    response.on("close", () => {
      open.delete(response)
    })
    if (request.method === "DELETE") farewells++
    if (request.method !== "POST") {
      response.writeHead(405).end()
      return
    }
    let body = ""
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
    request.on("end", () => {
      const message = JSON.parse(body) as Received
      received.push(message)
      const send = (status: number, content?: JsonObject) => {
        response.writeHead(status, { "content-type": "application/json", "mcp-session-id": "s1" })
        response.end(content === undefined ? undefined : JSON.stringify(content))
      }
      const exchange: Exchange = {
        message,
        request,
        response,
        answer: (result) => send(200, { jsonrpc: "2.0", id: message.id ?? null, result }),
        stream: () => {
          response.writeHead(200, { "content-type": "text/event-stream", "mcp-session-id": "s1" })
          response.flushHeaders()
          return (event) => void response.write(`data: ${JSON.stringify(event)}\n\n`)
        }
      }
      const played = play[message.method]
      if (played !== undefined && played(exchange) !== true) return
      const rest = usual[message.method]
      if (rest !== undefined) rest(exchange)
      else send(202)
    })
  })
  const count = (method: string) => received.filter((one) => one.method === method).length
  return {
    address: `http://127.0.0.1:${port}/mcp`,
    authority: `127.0.0.1:${port}`,
    port,
    received,
    count,
    open,
    /** How many sessions were ended by the client. */
    farewells: () => farewells
  }
})

/** Waits until it is so. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(Effect.sleep(5), until(condition))))
