import { Effect, Schema } from "effect"
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import { chmod, chown, lstat, rm } from "node:fs/promises"

export class EgressProxyError extends Schema.TaggedError<EgressProxyError>()("EgressProxyError", {
  socketPath: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `The egress proxy can't listen on ${this.socketPath}: ${this.detail}`
  }
}

export interface ServerLimits {
  readonly connectionsMax: number
  readonly headerBytesMax: number
  /** For a request's head to arrive. */
  readonly headersMs: number
  readonly idleMs: number
}

/** Connections in all, for each that may be at work: the others have asked for nothing yet, or are told that it is too much. */
const waitingFactor = 4
const keepAliveMs = 60_000
/** The kernel's limit for the address of a unix socket, less its closing zero. */
const pathBytesMax = 107

/** An HTTP server that bounds what it reads, and that nothing a client sends can bring down. */
export const boundedServer = (limits: ServerLimits): Server => {
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    // Uploads may take as long as they move; `timeout` ends those that don't.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs)
  })
  // A little later than the other side's, so that a request that waits in vain gets an answer.
  server.timeout = limits.idleMs + 2_000
  // Their bytes are bounded; a number would drop those beyond it without a word.
  server.maxHeadersCount = 0
  server.maxConnections = limits.connectionsMax * waitingFactor
  server.on("timeout", (socket) => socket.destroy())
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request"
    const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT"
    if (socket.writable && error.code !== "ECONNRESET") {
      socket.end(`HTTP/1.1 ${late ? "408 Request Timeout" : status}\r\nConnection: close\r\n\r\n`)
    }
    ;(socket as Socket).destroySoon()
  })
  return server
}

/** Takes away what a runner before this one left; only ever a socket. */
const removeStale = async (socketPath: string) => {
  const stat = await lstat(socketPath).catch(() => undefined)
  if (stat === undefined) return
  if (!stat.isSocket()) throw new Error("something else is there")
  await rm(socketPath)
}

/** As many may wait to be accepted as may be open: beyond that, the kernel turns them away without a word. */
const listen = (server: Server, socketPath: string) =>
  new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen({ path: socketPath, backlog: server.maxConnections }, () => {
      server.off("error", reject)
      // Running out of descriptors is told here: the connection is lost, the proxy is not.
      server.on("error", () => {})
      resolve()
    })
  })

/**
 * Listens on a unix socket that its owner alone may connect to, until the scope closes. `endWork` ends what the server has
 * given out of its hands: it waits for these connections too.
 */
export const listenOn = (
  server: Server,
  socketPath: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
  endWork: Effect.Effect<void>
) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        if (Buffer.byteLength(socketPath) > pathBytesMax) throw new Error(`its path is over ${pathBytesMax} bytes`)
        await removeStale(socketPath)
        await listen(server, socketPath)
        await chmod(socketPath, 0o600)
        if (owner !== undefined) await chown(socketPath, owner.uid, owner.gid)
      },
      catch: (cause) => new EgressProxyError({ socketPath, detail: (cause as Error).message, cause })
    }).pipe(Effect.tapError(() => Effect.sync(() => server.close()))),
    () =>
      Effect.gen(function* () {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        yield* endWork
        server.closeAllConnections()
        yield* Effect.promise(() => closed)
      })
  )
