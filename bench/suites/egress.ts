import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compared } from "../harness/Result.ts"
import { interleave, type Side } from "../harness/rounds.ts"
import type { Bench, Context, Suite } from "../harness/Suite.ts"

type Open = () => Promise<Socket>
type Measure = (open: Open, ms: number) => Promise<number>

/** A process that says one line when it is ready. */
const start = async (file: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "egress", file), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [line] = await once(child.stdout, "data")
  return { child, said: String(line).trim() }
}

const stop = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill("SIGTERM")
  await once(child, "exit")
}

const tunnel = (socketPath: string, authority: string) => async () => {
  const socket = connect(socketPath)
  socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`)
  const [head] = await once(socket, "data")
  if (!String(head).startsWith("HTTP/1.1 200")) throw new Error(`the proxy said ${String(head)}`)
  return socket
}

const direct = (port: number) => async () => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  return socket
}

const seconds = (from: number) => (performance.now() - from) / 1_000

/** MiB a second through one connection. */
const throughput: Measure = async (open, ms) => {
  const socket = await open()
  let bytes = 0
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length))
  const from = performance.now()
  socket.write("pour")
  await new Promise((resolve) => setTimeout(resolve, ms))
  const rate = bytes / 1024 / 1024 / seconds(from)
  socket.destroy()
  return rate
}

/** Round trips a second of one byte, one after the other. */
const roundTrips: Measure = async (open, ms) => {
  const socket = await open()
  const from = performance.now()
  let count = 0
  await new Promise<void>((resolve) => {
    socket.on("data", () => {
      count++
      if (performance.now() - from > ms) resolve()
      else socket.write("x")
    })
    socket.write("x")
  })
  socket.destroy()
  return count / seconds(from)
}

/** New connections with one round trip each, a second. */
const connections: Measure = async (open, ms) => {
  const from = performance.now()
  let count = 0
  while (performance.now() - from < ms) {
    const socket = await open()
    socket.write("x")
    await once(socket, "data")
    socket.destroy()
    count++
  }
  return count / seconds(from)
}

const bench = (id: string, metric: string, unit: string, measure: Measure): Bench => ({
  id,
  about: `egress, ${metric}`,
  run: async ({ plan, say }: Context) => {
    const directory = mkdtempSync(join(tmpdir(), "bench-egress-"))
    const upstream = await start("upstream.ts")
    const authority = `127.0.0.1:${upstream.said}`
    const proxy = await start("proxy.ts", directory, authority)
    try {
      const sides: ReadonlyArray<Side> = [
        { name: "tunnel", measure: (ms) => measure(tunnel(proxy.said, authority), ms) },
        { name: "direct", measure: (ms) => measure(direct(Number(upstream.said)), ms) }
      ]
      const values = await interleave(sides, plan, say)
      return [compared({ id, metric, unit }, values.get("tunnel")!, "direct connection", values.get("direct")!, null)]
    } finally {
      await Promise.all([stop(proxy.child), stop(upstream.child)])
      rmSync(directory, { recursive: true })
    }
  }
})

/** What the way through the egress proxy costs, beside a connection without it. */
export const suite: Suite = {
  benches: [
    bench("E1", "bytes through one tunnel", "MiB/s", throughput),
    bench("E2", "round trips of one byte", "/s", roundTrips),
    bench("E3", "new connections with a round trip", "/s", connections)
  ]
}
