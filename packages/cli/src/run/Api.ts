import { Redacted, Schema } from "effect"
import { randomUUID } from "node:crypto"

/** A server that can't be reached, or that refuses what it is asked for. */
export class ApiRefused extends Schema.TaggedError<ApiRefused>()("ApiRefused", {
  /** 0: no answer. */
  status: Schema.Int,
  detail: Schema.String,
  requestId: Schema.NullOr(Schema.String)
}) {
  override get message() {
    const id = this.requestId === null ? "" : ` (${this.requestId})`
    return `${this.detail}${id}`
  }
}

const Refusal = Schema.Struct({
  error: Schema.Struct({ message: Schema.String }),
  request_id: Schema.optionalKey(Schema.String)
})
const isRefusal = Schema.is(Refusal)

export interface Server {
  readonly url: string
  readonly key: Redacted.Redacted
}

const patienceMs = 60_000
const pauseMs = 500
const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs))

/** The server is away, or asks to come again: it may be starting anew. */
const passes = (status: number) => status === 0 || status === 429 || status >= 500

/** The public HTTP API of a server, with one key. */
export class Api {
  private readonly server: Server

  constructor(server: Server) {
    this.server = server
  }

  get(path: string): Promise<unknown> {
    return this.json(path, {})
  }

  /** A write that happens once, however often it has to be sent. */
  post(path: string, body: object): Promise<unknown> {
    const headers = { "content-type": "application/json", "idempotency-key": randomUUID() }
    return this.json(path, { method: "POST", headers, body: JSON.stringify(body) })
  }

  /** The answer's body as it comes. */
  async stream(path: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.patiently(() => this.once(path, {}))
    return response.body!
  }

  private async json(path: string, init: RequestInit): Promise<unknown> {
    return await this.patiently(async () => (await this.once(path, init)).json())
  }

  private async patiently<A>(ask: () => Promise<A>): Promise<A> {
    const end = performance.now() + patienceMs
    while (true) {
      try {
        return await ask()
      } catch (cause) {
        if (!(cause instanceof ApiRefused)) throw cause
        if (!passes(cause.status) || performance.now() > end) throw cause
        await pause()
      }
    }
  }

  private async once(path: string, init: RequestInit): Promise<Response> {
    const { key, url } = this.server
    const headers = { ...init.headers, authorization: `Bearer ${Redacted.value(key)}` }
    const response = await fetch(`${url}${path}`, { ...init, headers }).catch((cause: Error) => {
      const detail = `${url} can't be reached: ${cause.cause instanceof Error ? cause.cause.message : cause.message}`
      throw new ApiRefused({ status: 0, detail, requestId: null })
    })
    if (response.ok) return response
    const body: unknown = await response.json().catch(() => null)
    throw isRefusal(body)
      ? new ApiRefused({ status: response.status, detail: body.error.message, requestId: body.request_id ?? null })
      : new ApiRefused({ status: response.status, detail: `${url} answered ${response.status}`, requestId: null })
  }
}
