import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Redacted, Schema, type Scope } from "effect"
import * as Socket from "effect/socket/Socket"

/** The largest message that is read or written: what is larger ends the connection. */
export const messageBytesMax = 16 * 1_048_576
const openWithinMs = 10_000
const pauseAtBytes = 1_048_576

/** The server did not let this runner in. */
export class DialRefused extends Schema.TaggedError<DialRefused>()("DialRefused", {
  server: Schema.String,
  status: Schema.NullOr(Schema.Int),
  detail: Schema.String
}) {
  override get message() {
    return `${this.server} could not be reached: ${this.detail}`
  }
}

export interface Closing {
  readonly code: number
  readonly reason: string
}

export interface RunnerSocket {
  readonly socket: Socket.Socket
  /** Says why, and ends the connection even where nobody listens. */
  readonly close: (code: number, reason: string) => void
  /** Why it ended, once it has. */
  readonly closing: () => Closing | null
}

const closeError = ({ code, reason }: Closing) =>
  new Socket.SocketError({ reason: new Socket.SocketCloseError({ code, closeReason: reason }) })

const wsUrl = (server: string): string => `${server.replace(/^http/, "ws").replace(/\/+$/, "")}/v1/runners/connect`

/**
 * Opens the connection to a node. A write is done when the operating system has taken it, so that a slow link makes its
 * writers wait, and it fails when the connection ends: nothing waits for ever.
 */
export const open = Effect.fnUntraced(function* (
  server: string,
  credential: Redacted.Redacted
): Effect.fn.Return<RunnerSocket, DialRefused, Scope.Scope> {
  const ws = yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        new NodeWS.WebSocket(wsUrl(server), {
          headers: { authorization: `Bearer ${Redacted.value(credential)}` },
          handshakeTimeout: openWithinMs,
          maxPayload: messageBytesMax,
          perMessageDeflate: false
        }),
      catch: () => new DialRefused({ server, status: null, detail: "it is no address of a server" })
    }),
    (ws) => Effect.sync(() => ws.terminate())
  )
  // A handshake that is given up says so later, when nobody waits for it any more.
  ws.on("error", () => {})
  yield* Effect.callback<void, DialRefused>((resume) => {
    const refused = (status: number | null, detail: string) =>
      resume(Effect.fail(new DialRefused({ server, status, detail })))
    ws.once("open", () => resume(Effect.void))
    ws.once("unexpected-response", (_, response) => {
      response.destroy()
      refused(response.statusCode ?? null, `it answered ${response.statusCode}`)
    })
    ws.once("error", (error) => refused(null, error.message))
  })
  ws.binaryType = "nodebuffer"

  let closing: Closing | null = null
  let buffer: Array<Uint8Array | string> = []
  let bytes = 0
  let waiter: (() => void) | null = null
  const wake = () => {
    const waiting = waiter
    waiter = null
    waiting?.()
  }
  const end = (code: number, reason: string) => {
    closing ??= { code, reason }
    wake()
  }
  ws.on("message", (data: Buffer, isBinary) => {
    buffer.push(isBinary ? data : data.toString())
    bytes += data.length
    if (bytes >= pauseAtBytes) ws.pause()
    wake()
  })
  ws.on("close", (code, reason) => end(code, reason.toString()))
  ws.on("error", (error) => end(1006, error.message))

  const close: RunnerSocket["close"] = (code, reason) => {
    end(code, reason)
    ws.close(code, reason)
    setTimeout(() => ws.terminate(), 1_000).unref()
  }

  const pull = Effect.callback<readonly [Uint8Array | string, ...Array<Uint8Array | string>], Socket.SocketError>(
    (resume) => {
      const give = () => {
        if (closing !== null) return resume(Effect.fail(closeError(closing)))
        const taken = buffer
        buffer = []
        bytes = 0
        if (ws.isPaused) ws.resume()
        resume(Effect.succeed(taken as unknown as readonly [Uint8Array]))
      }
      if (buffer.length > 0 || closing !== null) return give()
      waiter = give
      return Effect.sync(() => {
        waiter = null
      })
    }
  )

  const write = (chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> =>
    Effect.callback<void, Socket.SocketError>((resume) => {
      if (closing !== null) return resume(Effect.fail(closeError(closing)))
      if (Socket.isCloseEvent(chunk)) {
        close(chunk.code, chunk.reason ?? "")
        return resume(Effect.void)
      }
      ws.send(chunk, (error) =>
        resume(error == null ? Effect.void : Effect.fail(closeError(closing ?? { code: 1006, reason: error.message })))
      )
    })

  return {
    socket: Socket.make({
      reader: Effect.succeed({ pull, upgrade: Socket.SocketUpgradeError.unsupported }),
      writer: Effect.succeed({ write, writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }) })
    }),
    close,
    closing: () => closing
  }
})
