import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { apiKey } from "./apiKey.ts"

/** A short message of a client's, masked with zeros. */
export const frameOf = (message: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(message as string)
  const opcode = typeof message === "string" ? 1 : 2
  return Buffer.concat([Buffer.from([0x80 | opcode, 0xfe, bytes.length >> 8, bytes.length & 255, 0, 0, 0, 0]), bytes])
}

/** A WebSocket that takes nothing of what it is sent, until somebody resumes it. */
export const deafSocket = async (address: string): Promise<Socket> => {
  const { host, hostname, pathname, port, search } = new URL(address)
  const socket = connect(Number(port), hostname)
  await once(socket, "connect")
  const headers = ["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13"]
  const own = ["sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", `host: ${host}`, `x-api-key: ${apiKey}`]
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${[...headers, ...own].join("\r\n")}\r\n\r\n`)
  const [answer] = (await once(socket, "data")) as [Buffer]
  socket.pause()
  if (!answer.toString().startsWith("HTTP/1.1 101")) throw new Error(answer.toString())
  return socket
}
