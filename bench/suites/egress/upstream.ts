import { type AddressInfo, createServer } from "node:net"

/** What is behind the proxy: sends without end to who says `pour`, and says everything else back. */
const block = Buffer.alloc(256 * 1024, "x")

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {})
  socket.once("data", (first: Buffer) => {
    if (first.toString() !== "pour") {
      socket.write(first)
      socket.pipe(socket)
      return
    }
    const more = () => {
      while (socket.writable && socket.write(block));
    }
    socket.on("drain", more)
    more()
  })
})
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port))
