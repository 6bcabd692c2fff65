import { connect, createServer, type Server, type Socket } from "node:net"

export interface ChaosProxy {
  readonly port: number
  /** Everything open is reset, as by a cut cable that somebody noticed. */
  readonly cut: () => void
  /** From the next bytes on, what the server answers is swallowed, and then the connection is cut. */
  readonly swallowAnswers: () => void
  /** Everything open is reset, and nobody is let in, as long as it is not healed. */
  readonly shut: () => void
  /** The client is told that the connection broke, and the server is not: it ends when the answer is called. */
  readonly cutClients: () => () => void
  readonly heal: () => void
  readonly close: () => Promise<void>
}

/**
 * A TCP proxy that loses connections where a test wants it: between a COMMIT and its answer, for instance. A target that
 * is asked for with each connection may be null: then nobody is there.
 */
export const chaosProxy = (target: number | (() => number | null)): Promise<ChaosProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>()
  const targetPort = typeof target === "number" ? () => target : target
  let swallowing = false
  let isShut = false

  const cut = () => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
    pairs.clear()
  }

  const cutClients = () => {
    const servers = [...pairs].map(([client, server]) => {
      server.removeAllListeners("close")
      server.on("data", () => {})
      client.removeAllListeners("close")
      client.resetAndDestroy()
      return server
    })
    pairs.clear()
    return () => {
      for (const server of servers) server.destroy()
    }
  }

  const proxy: Server = createServer((client) => {
    const port = targetPort()
    if (isShut || port === null) {
      client.resetAndDestroy()
      return
    }
    const server = connect({ port, host: "127.0.0.1", noDelay: true })
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
      if (!pairs.has(pair)) return
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
        cutClients,
        swallowAnswers: () => {
          swallowing = true
        },
        shut: () => {
          isShut = true
          cut()
        },
        heal: () => {
          swallowing = false
          isShut = false
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
