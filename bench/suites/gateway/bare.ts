/** The least that an HTTP server does for the same bytes: nothing is checked, nothing is kept. */
import { createServer, type ServerResponse } from "node:http"
import { once } from "node:events"
import { serve } from "../../harness/serve.ts"

/** By what stands behind the slash of an address. */
const readers = new Map<string, Set<ServerResponse>>()
const readersOf = (path: string): Set<ServerResponse> => {
  const name = path.slice(path.indexOf("/", 1))
  const known = readers.get(name) ?? new Set()
  readers.set(name, known)
  return known
}
let page = ""
let frame = ""
let backlog = 0

const stream = (path: string, response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.flushHeaders()
  if (backlog > 0) response.write(frame.repeat(backlog))
  const all = readersOf(path)
  all.add(response)
  response.once("close", () => all.delete(response))
}

const server = createServer({ keepAliveTimeout: 75_000 }, async (request, response) => {
  const path = request.url ?? "/"
  if (path.startsWith("/stream")) return stream(path, response)
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (request.method === "POST") {
    JSON.parse(Buffer.concat(chunks).toString())
    for (const reader of readersOf(path)) reader.write(frame)
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
