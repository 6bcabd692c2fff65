/** The least that an HTTP server does for the same bytes: nothing is checked, nothing is kept. */
import { createServer, type ServerResponse } from "node:http"
import { once } from "node:events"
import { serve } from "../../harness/serve.ts"

const readers = new Set<ServerResponse>()
let page = ""
let frame = ""
let backlog = 0

const stream = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.flushHeaders()
  if (backlog > 0) response.write(frame.repeat(backlog))
  readers.add(response)
  response.once("close", () => readers.delete(response))
}

const server = createServer({ keepAliveTimeout: 75_000 }, async (request, response) => {
  if (request.url === "/stream") return stream(response)
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (request.method === "POST") {
    JSON.parse(Buffer.concat(chunks).toString())
    for (const reader of readers) reader.write(frame)
  }
  response.writeHead(200, { "content-type": "application/json" }).end(page)
})

serve(
  {
    listen: async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return (server.address() as { readonly port: number }).port
    },
    /** What requests are answered with, what an event is on a stream, and how many of them a new reader is behind. */
    show: (shown: { readonly page?: string; readonly frame?: string; readonly backlog?: number }) => {
      page = shown.page ?? page
      frame = shown.frame ?? frame
      backlog = shown.backlog ?? backlog
    }
  },
  () => {
    server.closeAllConnections()
    server.close()
  }
)
