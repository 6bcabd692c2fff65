import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"

type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>]

/** An MCP server with one tool, and its authorization server, which gives each refresh token once. */
export class AuthorizedServer {
  /** What people say when they are asked whether they agree. */
  agrees = true
  /** Whether refresh tokens are worth anything. */
  renews = true
  /** The authorization server that the MCP server names; itself unless it is said. */
  names: string | null = null
  /** Grants that tokens were asked for with, in their order. */
  readonly asked: Array<string> = []
  /** Refresh tokens that came a second time. */
  reused = 0
  private readonly server: Server
  private good: string | null = null
  private readonly fresh = new Set<string>()
  private made = 0

  private constructor(server: Server) {
    this.server = server
  }

  static async start(): Promise<AuthorizedServer> {
    const server = createServer((request, response) => {
      void started.answer(request).then(([status, body, headers = {}]) => {
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))
      })
    })
    const started = new AuthorizedServer(server)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return started
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `${this.origin}/mcp`
  }

  /** The access token of now, which nobody but runners is to see. */
  get token(): string {
    return this.good ?? "none"
  }

  /** The access token is worth nothing from now on. */
  expire(): void {
    this.good = null
  }

  async end(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    let body = ""
    for await (const chunk of request) body += String(chunk)
    const { pathname, searchParams } = new URL(request.url ?? "/", this.origin)
    switch (pathname) {
      case "/.well-known/oauth-protected-resource/mcp":
        return [
          200,
          { resource: this.url, authorization_servers: [this.names ?? this.origin], scopes_supported: ["use"] }
        ]
      case "/.well-known/oauth-authorization-server":
        return [200, this.metadata]
      case "/register":
        return [201, { ...(JSON.parse(body) as object), client_id: "registered" }]
      case "/authorize":
        return this.authorize(searchParams)
      case "/token":
        return this.give(new URLSearchParams(body))
      default:
        return request.headers.authorization === `Bearer ${this.token}` ? this.serve(body) : this.refuse()
    }
  }

  private get metadata() {
    return {
      issuer: this.origin,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      registration_endpoint: `${this.origin}/register`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none"]
    }
  }

  private authorize(query: URLSearchParams): Answer {
    const back = new URL(query.get("redirect_uri") ?? "")
    back.searchParams.set("state", query.get("state") ?? "")
    if (this.agrees) back.searchParams.set("code", "a-code")
    else back.searchParams.set("error", "access_denied")
    return [302, {}, { location: back.href }]
  }

  private give(form: URLSearchParams): Answer {
    const grant = form.get("grant_type") ?? ""
    this.asked.push(grant)
    const refresh = form.get("refresh_token") ?? ""
    if (grant === "refresh_token" && (!this.renews || !this.fresh.delete(refresh))) {
      this.reused += this.renews ? 1 : 0
      return [400, { error: "invalid_grant", error_description: `${refresh} is worth nothing` }]
    }
    this.made++
    this.good = `access-${this.made}`
    this.fresh.add(`refresh-${this.made}`)
    const tokens = { access_token: this.good, refresh_token: `refresh-${this.made}`, token_type: "Bearer" }
    return [200, { ...tokens, expires_in: 3_600, scope: "use" }]
  }

  private refuse(): Answer {
    return [401, {}, { "www-authenticate": 'Bearer error="invalid_token"' }]
  }

  private serve(body: string): Answer {
    const { id, method, params } = JSON.parse(body === "" ? "{}" : body) as {
      readonly id?: number
      readonly method?: string
      readonly params?: { readonly protocolVersion?: string }
    }
    if (id === undefined) return [202, {}]
    const result = (value: object): Answer => [200, { jsonrpc: "2.0", id, result: value }]
    if (method === "initialize") {
      const { protocolVersion } = params ?? {}
      return result({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "guarded", version: "1" } })
    }
    if (method === "tools/list") return result({ tools: [{ name: "greet", inputSchema: { type: "object" } }] })
    if (method === "tools/call") return result({ content: [{ type: "text", text: "Hello." }] })
    return [200, { jsonrpc: "2.0", id, error: { code: -32601, message: "there is no such method" } }]
  }
}
