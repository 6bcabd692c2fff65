import { AbortError, ConnectionError, InvalidAnswerError, TimeoutError, TroupeError } from "../errors.ts"
import { type CallOptions, defaults, type Logger, type TroupeOptions } from "../options.ts"
import type { Answer } from "./Call.ts"
import { failureOf } from "./failures.ts"
import { idempotencyKey } from "./idempotencyKey.ts"
import { mayPass, pause, pauseMs } from "./retry.ts"
import { urlOf } from "./url.ts"

export interface Asked {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: object | undefined
  /** Sent as JSON, but for what a browser sends by itself. */
  readonly body?: object | undefined
  readonly accept?: string
  readonly contentType?: string
}

type Read<A> = (response: Response) => Promise<A>

/** There is one in browsers. */
const page = globalThis as { readonly location?: { readonly origin: string } }

const silent: Logger = { debug: () => undefined, warn: () => undefined }
const never = new AbortController().signal

const isRaw = (body: object): body is FormData | Blob | Uint8Array<ArrayBuffer> | ReadableStream =>
  body instanceof FormData || body instanceof Blob || body instanceof Uint8Array || body instanceof ReadableStream

const why = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** Reads an answer as JSON. */
export const readJson = async <A>(response: Response): Promise<A> => {
  const text = await response.text()
  try {
    return JSON.parse(text) as A
  } catch (cause) {
    throw new InvalidAnswerError("The server's answer is not JSON", response.headers.get("request-id"), { cause })
  }
}

/** Sends requests, and sends them again where that may help. */
export class Transport {
  readonly baseURL: string
  readonly logger: Logger
  readonly #options: TroupeOptions

  constructor(options: TroupeOptions) {
    const own = options.credentials === "cookie" ? page.location?.origin : undefined
    this.baseURL = (options.baseURL ?? own ?? defaults.baseURL).replace(/\/+$/, "")
    if (!/^https?:\/\/[^/]/.test(this.baseURL)) {
      throw new TroupeError("baseURL: takes an address that begins with http:// or https://")
    }
    this.logger = options.logger ?? silent
    this.#options = options
  }

  /** Opens a connection for both directions. Browsers send their cookie and no headers; elsewhere the key goes along. */
  async connect(at: string, query: object): Promise<WebSocket> {
    const url = urlOf(this.baseURL.replace(/^http/, "ws"), at, query)
    if (this.#options.credentials === "cookie") return new WebSocket(url)
    const headers = Object.fromEntries(await this.#headers({ method: "GET", path: at }, {}, undefined))
    // What Node, Deno and Bun take, and the types of browsers do not know.
    return new (WebSocket as unknown as new (url: string, options: object) => WebSocket)(url, { headers })
  }

  /** Answers with what `read` makes of the response, within the time of a try. */
  async send<A>(asked: Asked, options: CallOptions = {}, read: Read<A> = readJson): Promise<Answer<A>> {
    const signal = options.signal ?? never
    const retries = options.maxRetries ?? this.#options.maxRetries ?? defaults.maxRetries
    const isWrite = asked.method !== "GET"
    const key = isWrite ? (options.idempotencyKey ?? idempotencyKey()) : undefined
    for (let tries = 0; ; tries++) {
      if (signal.aborted) throw new AbortError("The call was aborted", { cause: signal.reason })
      try {
        return await this.#once(asked, options, signal, key, read)
      } catch (error) {
        if (tries >= retries || !mayPass(error) || signal.aborted) throw error
        const ms = pauseMs(tries, error)
        this.logger.warn(`${asked.method} ${asked.path} is sent again in ${Math.round(ms)} ms`, { error: why(error) })
        await pause(ms, signal)
      }
    }
  }

  async #once<A>(
    asked: Asked,
    options: CallOptions,
    signal: AbortSignal,
    key: string | undefined,
    read: Read<A>
  ): Promise<Answer<A>> {
    const timeout = options.timeout ?? this.#options.timeout ?? defaults.timeout
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeout)
    try {
      const headers = await this.#headers(asked, options, key)
      const response = await this.#fetch(asked, headers, AbortSignal.any([signal, late.signal]))
      const requestId = response.headers.get("request-id")
      this.logger.debug(`${asked.method} ${asked.path} was answered ${response.status}`, { requestId })
      if (!response.ok) throw failureOf(response, await response.text())
      return { data: await read(response), response, requestId }
    } catch (cause) {
      if (signal.aborted) throw new AbortError("The call was aborted", { cause: signal.reason })
      if (late.signal.aborted) throw new TimeoutError(`No answer within ${timeout} ms`, { cause })
      if (cause instanceof TroupeError) throw cause
      throw new ConnectionError(`${this.baseURL} can't be reached: ${why(cause)}`, { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  #fetch({ body, method, path, query }: Asked, headers: Headers, signal: AbortSignal): Promise<Response> {
    const send = this.#options.fetch ?? globalThis.fetch
    const content = body === undefined || isRaw(body) ? body : JSON.stringify(body)
    // The API never redirects, and what follows a redirect would carry a key elsewhere.
    const init: RequestInit = { method, headers, signal, redirect: "error" }
    if (content !== undefined) init.body = content as NonNullable<RequestInit["body"]>
    if (this.#options.credentials === "cookie") init.credentials = "include"
    return send(urlOf(this.baseURL, path, query), init)
  }

  async #headers(asked: Asked, options: CallOptions, key: string | undefined): Promise<Headers> {
    const headers = new Headers({ accept: asked.accept ?? "application/json" })
    const { apiKey, token } = this.#options
    const secret = apiKey ?? (typeof token === "function" ? await token() : token)
    if (secret !== undefined) headers.set("authorization", `Bearer ${secret}`)
    if (key !== undefined) headers.set("idempotency-key", key)
    if (asked.contentType !== undefined) headers.set("content-type", asked.contentType)
    else if (asked.body !== undefined && !isRaw(asked.body)) headers.set("content-type", "application/json")
    for (const more of [this.#options.headers, options.headers]) {
      for (const [name, value] of Object.entries(more ?? {})) headers.set(name, value)
    }
    return headers
  }
}
