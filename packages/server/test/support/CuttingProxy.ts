import { Effect, Redacted, type Scope } from "effect"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"

export interface CuttingProxy {
  readonly url: Redacted.Redacted
  /** From now on, a connection is cut when the server answers what `matches`: it was done, and nobody hears of it. */
  cutAnswersTo: ((request: string) => boolean) | null
  /** Nothing passes any more, and nothing is said. */
  silent: boolean
  /** How many were cut. */
  cuts: number
}

/** A way to a database that loses answers when it is told to. */
export const cuttingProxy = (url: Redacted.Redacted): Effect.Effect<CuttingProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const target = new URL(Redacted.value(url))
    const port = Number(target.port)
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(port, "127.0.0.1")
      let doomed = false
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          sockets.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      }
      client.on("data", (chunk) => {
        if (proxy.silent) return
        if (proxy.cutAnswersTo?.(chunk.toString("latin1")) === true) doomed = true
        upstream.write(chunk)
      })
      upstream.on("data", (chunk) => {
        if (proxy.silent) return
        if (!doomed) {
          client.write(chunk)
          return
        }
        proxy.cuts++
        client.destroy()
      })
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(() => {
          for (const socket of sockets) socket.destroy()
          return new Promise<void>((resolve) => server.close(() => resolve()))
        })
    )
    target.searchParams.delete("host")
    target.port = String((server.address() as AddressInfo).port)
    const proxy: CuttingProxy = { url: Redacted.make(target.href), cutAnswersTo: null, silent: false, cuts: 0 }
    return proxy
  })
