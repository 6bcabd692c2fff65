// Runs inside a sandbox, where there is no socat: what connects to the port on loopback gets a connection to the socket.
import { connect, createServer } from "node:net"

const [port, socket = ""] = process.argv.slice(2)

createServer({ allowHalfOpen: true }, (inner) => {
  const outer = connect({ path: socket, allowHalfOpen: true })
  const end = () => {
    inner.destroy()
    outer.destroy()
  }
  inner.on("error", end)
  outer.on("error", end)
  inner.pipe(outer).pipe(inner)
}).listen(Number(port), "127.0.0.1")
