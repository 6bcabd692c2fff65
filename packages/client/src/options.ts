/** What the client says of its work: `console` is one. Keys and bodies are never logged. */
export interface Logger {
  readonly debug: (message: string, details?: object) => void
  readonly warn: (message: string, details?: object) => void
}

export interface TroupeOptions {
  /** Where the server is: `http://127.0.0.1:4777` unless said otherwise, and in cookie mode the page's own origin. */
  readonly baseURL?: string | undefined
  /** A key of the workspace. */
  readonly apiKey?: string | undefined
  /** A token, such as one of an end user; or what fetches one, asked before each request. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** `cookie`: the browser's session cookie lets requests in, and nothing is sent beside it. */
  readonly credentials?: "cookie" | undefined
  /** Used instead of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** How long one try may take, in milliseconds: 60 seconds unless said otherwise. */
  readonly timeout?: number | undefined
  /** How often a request is sent again that may succeed then: 4 times unless said otherwise. */
  readonly maxRetries?: number | undefined
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly logger?: Logger | undefined
}

/** What one call may set for itself. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeout?: number | undefined
  readonly maxRetries?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of a write: sent again under the same key, it is done once. A call makes one for itself. */
  readonly idempotencyKey?: string | undefined
}

/** Whether a stream's connection stands now. One that broke is replaced by itself. */
export interface StreamConnection {
  readonly stands: boolean
  /** Why it broke; null or missing where the server just ended it. */
  readonly error?: unknown
}

export interface StreamOptions {
  /** Told when the connection stands, when it breaks, and when it is back: to show people that they look at the past. */
  readonly onConnection?: ((connection: StreamConnection) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How often the first connection is tried again. Later ones are tried until the stream is closed. */
  readonly maxRetries?: number | undefined
  /** A connection on which nothing was heard for so long is dead: 45 seconds, which is three heartbeats. */
  readonly heartbeatTimeout?: number | undefined
}

export const defaults = {
  baseURL: "http://127.0.0.1:4777",
  timeout: 60_000,
  maxRetries: 4,
  heartbeatTimeout: 45_000
} as const
