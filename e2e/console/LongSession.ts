import type { LogEvent } from "@troupe/domain/api/Events"
import { createReadStream, existsSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { longLog } from "../../packages/console/test/session/longLog.ts"

const dist = fileURLToPath(new URL("../../packages/console/dist/", import.meta.url))
const kinds: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2"
}

const everyMs = 25

const json = (response: ServerResponse, body: unknown) => {
  response.writeHead(200, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

/** A server of one session that is as long and as quick as one likes, for measuring what shows it. */
export class LongSession {
  static readonly path = "/w/wrkspc_1/sessions/sesn_1"
  static readonly listPath = "/w/wrkspc_1/sessions"
  private readonly server: Server
  private readonly log: Array<LogEvent> = []
  private readonly more = longLog()
  private readonly readers = new Set<ServerResponse>()
  private others: ReadonlyArray<object> = []
  /** How often parts of its log were asked for. */
  reads = 0
  /** How many of its events were given out as parts of its log. */
  given = 0
  private timer: ReturnType<typeof setInterval> | undefined

  private constructor() {
    this.server = createServer((request, response) => this.answer(request, response))
  }

  static async make(events: number): Promise<LongSession> {
    const session = new LongSession()
    session.tell(events)
    await new Promise<void>((listening) => session.server.listen(0, "127.0.0.1", listening))
    return session
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get length(): number {
    return this.log.length
  }

  /** Lets so many more events happen at once. */
  tell(count: number): void {
    const told = Array.from({ length: count }, () => this.more.next().value as LogEvent)
    this.log.push(...told)
    const text = told
      .map((event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join("")
    for (const reader of this.readers) reader.write(text)
  }

  /** Has so many sessions in its list. */
  list(count: number): void {
    this.others = Array.from({ length: count }, (_, index) => ({
      id: `sesn_${index}`,
      title: `Session ${index}`,
      status: "idle",
      agent: { name: "Assistant" },
      usage: { input_tokens: index, output_tokens: 1, list_cost: null },
      updated_at: "2026-11-22T00:00:00Z",
      archived_at: null
    }))
  }

  /** Lets so many events happen every second, for a while. */
  async flow(perSecond: number, seconds: number): Promise<void> {
    const goal = this.length + perSecond * seconds
    await new Promise<void>((done) => {
      this.timer = setInterval(() => {
        this.tell(Math.min((perSecond * everyMs) / 1_000, goal - this.length))
        if (this.length < goal) return
        clearInterval(this.timer)
        done()
      }, everyMs)
    })
  }

  async end(): Promise<void> {
    clearInterval(this.timer)
    this.server.closeAllConnections()
    await new Promise((closed) => this.server.close(closed))
  }

  /** A page of the turns that have begun, the last one first. */
  private turns(query: URLSearchParams): object {
    const limit = Number(query.get("limit"))
    const from = Number(query.get("page") ?? 0)
    const turns = this.log.filter(({ type }) => type === "TurnStarted").reverse()
    const data = turns.slice(from, from + limit).map(({ payload, seq, thread_id }) => ({
      id: (payload as unknown as { readonly turnId: string }).turnId,
      thread_id,
      started_seq: seq,
      ended_seq: null
    }))
    const next_page = from + limit < turns.length ? String(from + limit) : null
    return { data, queues: [], next_page }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.origin)
    const after = Number(url.searchParams.get("after") ?? 0)
    if (url.pathname === "/v1/me") return json(response, { workspace: { id: "wrkspc_1" } })
    if (url.pathname === "/v1/sessions/sesn_1/log") {
      this.reads++
      const limit = Number(url.searchParams.get("limit"))
      const types = url.searchParams.getAll("types[]")
      const page = this.log.slice(after, after + limit)
      const data = types.length === 0 ? page : page.filter(({ type }) => types.includes(type))
      this.given += data.length
      return json(response, { data, next_after: after + limit < this.length ? after + limit : null })
    }
    if (url.pathname === "/v1/sessions/sesn_1/turns") return json(response, this.turns(url.searchParams))
    if (url.pathname.endsWith("/stream")) {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.write(": here\n\n")
      if (url.pathname !== "/v1/sessions/sesn_1/log/stream") return
      for (const event of this.log.slice(after)) response.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)
      this.readers.add(response)
      response.on("close", () => this.readers.delete(response))
      return
    }
    if (url.pathname === "/v1/sessions") {
      const from = Number(url.searchParams.get("page") ?? 0)
      const to = from + Number(url.searchParams.get("limit"))
      const next_page = to < this.others.length ? String(to) : null
      return json(response, { data: this.others.slice(from, to), next_page })
    }
    if (url.pathname.startsWith("/v1/sessions/")) {
      response.writeHead(404, { "content-type": "application/json" })
      response.end("{}")
      return
    }
    if (url.pathname.startsWith("/v1/")) return json(response, { data: [], next_page: null })
    const asked = join(dist, url.pathname)
    const file = extname(asked) !== "" && existsSync(asked) ? asked : join(dist, "index.html")
    response.writeHead(200, { "content-type": kinds[extname(file)] ?? "application/octet-stream" })
    createReadStream(file).pipe(response)
  }
}
