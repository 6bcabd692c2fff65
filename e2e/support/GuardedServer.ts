import { once } from "node:events"
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A door before an MCP server over HTTP: it lets in who shows the token of the moment, and tells the others what it wants. */
export class GuardedServer {
  token = "first"
  /** Done before a call of a tool is let in. */
  onCall: () => Promise<void> = () => Promise.resolve()
  readonly refused: Array<string> = []
  private readonly server: Server
  private readonly behind: number

  private constructor(server: Server, behind: number) {
    this.server = server
    this.behind = behind
    server.on("request", (incoming, outgoing) => void this.answer(incoming, outgoing))
  }

  static async start(behind: number): Promise<GuardedServer> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    return new GuardedServer(server, behind)
  }

  get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async end(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, "close")
  }

  private async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Array<Buffer> = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const shown = incoming.headers.authorization ?? "nothing"
    if (shown !== `Bearer ${this.token}`) {
      this.refused.push(shown)
      const wants = `Bearer resource_metadata="http://${this.authority}/.well-known/oauth-protected-resource", scope="tools"`
      outgoing.writeHead(401, { "www-authenticate": wants }).end()
      return
    }
    if (body.includes(`"tools/call"`)) await this.onCall()
    const { headers, method, url } = incoming
    const passed = request({ host: "127.0.0.1", port: this.behind, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on("error", () => outgoing.destroy())
    outgoing.on("close", () => passed.destroy())
    passed.end(body)
  }
}
