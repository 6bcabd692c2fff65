import { connect, createServer, type Server, type Socket } from "node:net"

export interface ChaosProxy {
  readonly port: number
  /** Everything open is reset, as by a cut cable that somebody noticed. */
  readonly cut: () => void
  /** From the next bytes on, what the server answers is swallowed, and then the connection is cut. */
  readonly swallowAnswers: () => void
  readonly heal: () => void
  readonly close: () => Promise<void>
}

/** A TCP proxy that loses connections where a test wants it: between a COMMIT and its answer, for instance. */
export const chaosProxy = (targetPort: number): Promise<ChaosProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>()
  let swallowing = false

  const cut = () => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
    pairs.clear()
  }

  const proxy: Server = createServer((client) => {
    const server = connect({ port: targetPort, host: "127.0.0.1", noDelay: true })
    client.setNoDelay(true)
    const pair = [client, server] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    client.on("data", (data) => server.write(data))
    server.on("data", (data) => {
      if (!swallowing) {
        client.write(data)
        return
      }
      // The server has done it; the client will never hear.
      setTimeout(() => {
        client.resetAndDestroy()
        end()
      }, 5)
    })
    for (const socket of pair) {
      socket.on("error", end)
      socket.on("close", end)
    }
  })

  return new Promise((resolve) => {
    proxy.listen(0, "127.0.0.1", () => {
      const address = proxy.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        cut,
        swallowAnswers: () => {
          swallowing = true
        },
        heal: () => {
          swallowing = false
        },
        close: () =>
          new Promise((done) => {
            cut()
            proxy.close(() => done())
          })
      })
    })
  })
}
