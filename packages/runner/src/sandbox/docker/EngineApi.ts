import { Effect, Schema, type Scope, Stream } from "effect"
import { Agent, type IncomingMessage, request as httpRequest } from "node:http"
import type { Socket } from "node:net"
import { EngineError } from "./EngineError.ts"
import { negotiate } from "./EngineVersion.ts"

export interface Call {
  readonly method: "GET" | "POST" | "DELETE"
  /** Without the version: `/containers/json`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A request whose body is no JSON, and whose answer comes bit by bit. */
export interface Upload extends Omit<Call, "body"> {
  readonly upload: { readonly type: string; readonly bytes: Uint8Array }
}

/** A connection that the engine handed over: from now on, it carries what a process reads and writes. */
export interface Hijacked {
  readonly socket: Socket
  /** What arrived together with the answer's head. */
  readonly head: Buffer
}

/** Docker's Engine API over its unix socket, at the version that both sides know. */
export interface EngineApi {
  readonly version: string
  readonly call: (call: Call) => Effect.Effect<void, EngineError>
  readonly ask: <S extends Schema.Top & { readonly DecodingServices: never }>(
    call: Call,
    schema: S
  ) => Effect.Effect<S["Type"], EngineError>
  /** Whoever stops reading ends the connection, and with it what the engine does. */
  readonly upload: (call: Upload) => Stream.Stream<Uint8Array, EngineError>
  /** The connection ends with the scope. */
  readonly hijack: (call: Call) => Effect.Effect<Hijacked, EngineError, Scope.Scope>
}

const Version = Schema.Struct({ ApiVersion: Schema.String, MinAPIVersion: Schema.String })

/** Fails where no engine answers, or none that we can talk to. */
export const connect = Effect.fn("EngineApi.connect")(function* (
  socketPath: string
): Effect.fn.Return<EngineApi, EngineError> {
  const socket = new Transport(socketPath)
  const engine = yield* socket.ask({ method: "GET", path: "/version" }, Version)
  const range = { oldest: engine.MinAPIVersion, newest: engine.ApiVersion }
  const version = negotiate(range)
  if (version === undefined) {
    return yield* new EngineError({
      socket: socketPath,
      request: "GET /version",
      reason: { _tag: "Version", ...range }
    })
  }
  const versioned = <A extends Call>(call: A): A => ({ ...call, path: `/v${version}${call.path}` })
  return {
    version,
    call: (call) => Effect.asVoid(socket.text(versioned(call))),
    ask: (call, schema) => socket.ask(versioned(call), schema),
    upload: (call) => socket.upload(versioned(call)),
    hijack: (call) => socket.hijack(versioned(call))
  }
})

// What we ask for is small; an engine that says more than this is none.
const answerBytesMax = 16 * 1024 * 1024

class Transport {
  readonly socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 8 })

  constructor(socketPath: string) {
    this.socketPath = socketPath
  }

  readonly text = (call: Call): Effect.Effect<string, EngineError> =>
    Effect.callback<string, EngineError>((resume) => {
      const fail = (cause: unknown) => resume(Effect.fail(this.#unreachable(call, cause)))
      const outgoing = httpRequest(this.#options(call, { agent: this.#agent }))
      outgoing.on("error", fail)
      outgoing.on("response", (response) => {
        readAll(response, (error, text) => {
          if (error !== undefined) return fail(error)
          const status = response.statusCode ?? 0
          // 304: already so.
          if (status < 300 || status === 304) return resume(Effect.succeed(text))
          resume(Effect.fail(this.#refused(call, status, text)))
        })
      })
      outgoing.end(encode(call))
      return Effect.sync(() => outgoing.destroy())
    })

  readonly ask = <S extends Schema.Top & { readonly DecodingServices: never }>(call: Call, schema: S) =>
    Effect.flatMap(this.text(call), (text) =>
      Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text).pipe(
        Effect.mapError((cause) =>
          this.#error(call, { _tag: "Unreadable", detail: "the answer is not what the API promises" }, cause)
        )
      )
    )

  readonly upload = (call: Upload): Stream.Stream<Uint8Array, EngineError> =>
    Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(this.#begin(call), (response) => Effect.sync(() => response.destroy())),
        (response) =>
          Stream.fromAsyncIterable(response as AsyncIterable<Uint8Array>, (cause) => this.#unreachable(call, cause))
      )
    )

  #begin(call: Upload): Effect.Effect<IncomingMessage, EngineError> {
    return Effect.callback<IncomingMessage, EngineError>((resume) => {
      const outgoing = httpRequest(this.#options(call, { agent: false }))
      outgoing.on("error", (cause) => resume(Effect.fail(this.#unreachable(call, cause))))
      outgoing.on("response", (response) => {
        const status = response.statusCode ?? 0
        if (status < 300) return resume(Effect.succeed(response))
        readAll(response, (_error, text) => resume(Effect.fail(this.#refused(call, status, text))))
      })
      outgoing.end(call.upload.bytes)
      return Effect.sync(() => outgoing.destroy())
    })
  }

  readonly hijack = (call: Call): Effect.Effect<Hijacked, EngineError, Scope.Scope> =>
    Effect.acquireRelease(this.#upgrade(call), ({ socket }) => Effect.sync(() => socket.destroy()))

  #upgrade(call: Call): Effect.Effect<Hijacked, EngineError> {
    return Effect.callback<Hijacked, EngineError>((resume) => {
      const headers = { Connection: "Upgrade", Upgrade: "tcp" }
      const outgoing = httpRequest(this.#options(call, { agent: false, headers }))
      outgoing.on("error", (cause) => resume(Effect.fail(this.#unreachable(call, cause))))
      outgoing.on("upgrade", (_response, socket, head) => {
        // Its errors are for who reads or writes it; without a listener they would end the process.
        socket.on("error", () => {})
        resume(Effect.succeed({ socket: socket as Socket, head }))
      })
      outgoing.on("response", (response) => {
        readAll(response, (_error, text) =>
          resume(Effect.fail(this.#refused(call, response.statusCode ?? 0, text ?? "")))
        )
      })
      outgoing.end(encode(call))
      return Effect.sync(() => outgoing.destroy())
    })
  }

  #options(call: Call | Upload, extra: { readonly agent: Agent | false; readonly headers?: Record<string, string> }) {
    const body = encode(call)
    const query = call.query === undefined ? "" : `?${new URLSearchParams(call.query)}`
    return {
      socketPath: this.socketPath,
      method: call.method,
      path: `${call.path}${query}`,
      agent: extra.agent,
      headers: {
        Host: "docker",
        ...extra.headers,
        ...(body === undefined
          ? { "Content-Length": 0 }
          : { "Content-Type": typeOf(call), "Content-Length": Buffer.byteLength(body) })
      }
    }
  }

  #refused(call: Call, status: number, text: string) {
    return this.#error(call, { _tag: "Refused", status, detail: messageIn(text) })
  }

  #unreachable(call: Call, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return this.#error(call, { _tag: "Unreachable", detail }, cause)
  }

  #error(call: Call, reason: EngineError["reason"], cause?: unknown) {
    return new EngineError({
      socket: this.socketPath,
      request: `${call.method} ${call.path}`,
      reason,
      ...(cause === undefined ? {} : { cause })
    })
  }
}

const encode = (call: Call | Upload) =>
  "upload" in call ? call.upload.bytes : call.body === undefined ? undefined : JSON.stringify(call.body)

const typeOf = (call: Call | Upload) => ("upload" in call ? call.upload.type : "application/json")

const readAll = (response: IncomingMessage, done: (error: unknown, text: string) => void) => {
  const chunks: Array<Buffer> = []
  let size = 0
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > answerBytesMax) response.destroy(new Error("the answer is too large"))
  })
  response.on("error", (error) => done(error, ""))
  response.on("end", () => done(undefined, Buffer.concat(chunks).toString("utf8")))
}

const Message = Schema.fromJsonString(Schema.Struct({ message: Schema.String }))

const messageIn = (text: string): string => {
  const decoded = Schema.decodeUnknownOption(Message)(text)
  return decoded._tag === "Some" ? decoded.value.message : text.slice(0, 500)
}
