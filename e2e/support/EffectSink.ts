import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { RealEffect } from "../invariants/Evidence.ts"

/** The world outside: each call of a tool that is to have an effect fetches an address of its own here, and is counted. */
export class EffectSink {
  readonly effects: Array<RealEffect> = []
  private readonly server: Server
  private minted = 0

  private constructor(server: Server) {
    this.server = server
  }

  static async start(): Promise<EffectSink> {
    const server = createServer()
    const sink = new EffectSink(server)
    server.on("request", (request, response) => {
      sink.effects.push({ token: request.url!.slice(1), at: Date.now() })
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return sink
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** A token that no other call has. */
  token(name: string): string {
    return `effect-${name}-${++this.minted}`
  }

  /** What a shell does to have the effect. The sandbox's own loopback is not the host's, so it goes by the proxy. */
  command(token: string): string {
    return `curl -sf --noproxy '' http://127.0.0.1:${this.port}/${token}`
  }

  count(token: string): number {
    return this.effects.filter((effect) => effect.token === token).length
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }
}
