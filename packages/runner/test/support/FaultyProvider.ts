import { Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export type Reply = (response: ServerResponse, request: IncomingMessage, body: string) => void

/** A server of models that does to each request what the test says, and knows which of its connections are open. */
export interface FaultyProvider {
  readonly url: string
  /** The bodies of the requests so far. */
  readonly asked: ReadonlyArray<string>
  /** Requests whose connection is still open. */
  readonly open: () => number
  reply: Reply
}

const events = { "content-type": "text/event-stream" }

const chunks = (...pieces: ReadonlyArray<string>): Reply => {
  return (response) => {
    response.writeHead(200, events)
    for (const piece of pieces) response.write(piece)
    response.end()
  }
}

/** What a provider may do instead of answering, whatever interface it speaks. */
export const faults = {
  "hangs before its headers": () => {},
  "hangs after its headers": (response: ServerResponse) => {
    response.writeHead(200, events)
    response.flushHeaders()
  },
  "hangs up before its headers": (response: ServerResponse) => void response.destroy(),
  "hangs up after its headers": (response: ServerResponse) => {
    response.writeHead(200, events)
    response.write(": hello\n\n", () => response.destroy())
  },
  "says nothing": chunks(),
  "says what is no JSON": chunks('data: {"choices": [{"del\n\n', "data: }}}}\n\n"),
  "says bytes that are no text": ((response) => {
    response.writeHead(200, events)
    response.end(Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0a, 0x0a]))
  }) as Reply,
  "says JSON of another kind": chunks("data: 7\n\n", "data: [null]\n\n", 'data: {"hello":{"to":"you"}}\n\n'),
  "is a web site": ((response) => {
    response.writeHead(200, { "content-type": "text/html" })
    response.end("<html><body>Welcome!</body></html>")
  }) as Reply,
  "fails with a page": ((response) => {
    response.writeHead(502, { "content-type": "text/html" })
    response.end("<html><body>Bad gateway</body></html>")
  }) as Reply
} satisfies Readonly<Record<string, Reply>>

export const faultyProvider: Effect.Effect<FaultyProvider, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<{ readonly provider: FaultyProvider; readonly close: () => void }>((resume) => {
    const asked: Array<string> = []
    const open = new Set<ServerResponse>()
    const provider = { url: "", asked, open: () => open.size, reply: faults["says nothing"] as Reply }
    const server = createServer((request, response) => {
      open.add(response)
      response.once("close", () => open.delete(response))
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        asked.push(body)
        provider.reply(response, request, body)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      resume(
        Effect.succeed({
          provider,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        })
      )
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ provider }) => provider))
