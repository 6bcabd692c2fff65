import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"

export interface ReceivedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code: number }
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Traces {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<Attribute> }
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<
        Omit<ReceivedSpan, "attributes"> & { readonly attributes: ReadonlyArray<Attribute> }
      >
    }>
  }>
}

const valuesOf = (attributes: ReadonlyArray<Attribute>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** A collector of OpenTelemetry that keeps what it is sent. */
export class OtlpReceiver {
  readonly spans: Array<ReceivedSpan> = []
  /** Everything that came, as it was written. */
  readonly bodies: Array<string> = []
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
    server.on("request", async (request, response) => {
      let body = ""
      for await (const chunk of request) body += chunk
      this.bodies.push(body)
      for (const { resource, scopeSpans } of (JSON.parse(body) as Traces).resourceSpans) {
        const service = String(valuesOf(resource.attributes)["service.name"])
        for (const { spans } of scopeSpans) {
          for (const span of spans) this.spans.push({ ...span, service, attributes: valuesOf(span.attributes) })
        }
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    return new OtlpReceiver(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async end(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, "close")
  }
}
