import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { readdirSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { describe } from "vitest"
import type { EgressRecord } from "../../src/egress/EgressRecord.ts"
import { listening } from "../support/LocalServer.ts"
import { openProxy, raw, tunnelTo } from "../support/proxyWorld.ts"

const descriptors = Effect.sync(() => readdirSync("/proc/self/fd").length)

/** Waits until it holds. */
const until = (holds: Effect.Effect<boolean>) =>
  Effect.repeat(holds, { schedule: Schedule.spaced(50), until: (is) => is }).pipe(Effect.timeout("30 seconds"))

const echo = () =>
  createServer((socket) => {
    socket.on("error", () => {})
    socket.pipe(socket)
  })

const answersTo = (socket: Socket, text: string) =>
  Effect.callback<string>((resume) => {
    socket.once("data", (chunk: Buffer) => resume(Effect.succeed(chunk.toString())))
    socket.resume()
    socket.write(text)
  })

const MiB = 1024 * 1024
const total = 200 * MiB
/** Less than what would pile up, more than what a busy process varies by. */
const slack = 100 * MiB

/** Sends everything as fast as it is taken. */
const pour = (socket: Socket) => {
  const block = Buffer.alloc(MiB, "x")
  let left = total
  const more = () => {
    while (left > 0) {
      left -= block.length
      if (!socket.write(block)) return
    }
    socket.end()
  }
  socket.on("drain", more)
  more()
}

/** Reads everything, slower than it could come; how much that was, and the most memory that the process held over it. */
const sip = (socket: Socket) =>
  Effect.callback<{ size: number; growth: number }>((resume) => {
    const before = process.memoryUsage().rss
    let [size, growth] = [0, 0]
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length
      growth = Math.max(growth, process.memoryUsage().rss - before)
      socket.pause()
      setImmediate(() => socket.resume())
    })
    socket.once("end", () => resume(Effect.succeed({ size, growth })))
    socket.resume()
  })

describe("The proxy under load", () => {
  it.live(
    "carries 1,000 tunnels at once",
    () =>
      Effect.gen(function* () {
        const port = yield* listening(echo())
        const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`], limits: { connectionsMax: 1_000 } })
        const replies = yield* Effect.all(
          Array.from({ length: 1_000 }, () => tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)),
          { concurrency: "unbounded" }
        )
        const answers = yield* Effect.all(
          replies.map(({ socket }, i) => answersTo(socket, `${i}`)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          answers,
          replies.map((_, i) => `${i}`)
        )
        for (const { socket } of replies) socket.destroy()
        yield* proxy.recorded(1_000)
      }),
    120_000
  )

  it.live(
    "refuses what is too much, says so, and serves again when there is room",
    () =>
      Effect.gen(function* () {
        const port = yield* listening(echo())
        const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`], limits: { connectionsMax: 300 } })
        const replies = yield* Effect.all(
          Array.from({ length: 1_000 }, () => tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)),
          { concurrency: "unbounded" }
        )
        const count = (status: number) => replies.filter((reply) => reply.status === status).length
        assert.deepStrictEqual([count(200), count(503)], [300, 700])
        for (const { socket } of replies) socket.destroy()
        yield* proxy.recorded(1_000)
        const isTooMany = ({ outcome }: EgressRecord) =>
          outcome._tag === "Refused" && outcome.code === "too_many_connections"
        assert.strictEqual(proxy.records.filter(isTooMany).length, 700)
        const { socket, status } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
        assert.strictEqual(status, 200)
        socket.destroy()
      }),
    120_000
  )

  it.live(
    "holds no more while 200 MiB come down to a slow reader",
    () =>
      Effect.gen(function* () {
        const port = yield* listening(createServer((socket) => void pour(socket.on("error", () => {}))))
        const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
        const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
        const { growth, size } = yield* sip(socket)
        assert.strictEqual(size, total)
        assert.isBelow(growth, slack)
        socket.destroy()
      }),
    120_000
  )

  it.live(
    "holds no more while 200 MiB go up to a slow reader",
    () =>
      Effect.gen(function* () {
        let arrived: (socket: Socket) => void
        const accepted = new Promise<Socket>((resolve) => (arrived = resolve))
        const port = yield* listening(createServer((socket) => arrived(socket)))
        const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
        const { socket } = yield* tunnelTo(proxy.socketPath, `127.0.0.1:${port}`)
        pour(socket)
        const { growth, size } = yield* sip(yield* Effect.promise(() => accepted))
        assert.strictEqual(size, total)
        assert.isBelow(growth, slack)
        socket.destroy()
      }),
    120_000
  )

  it.live(
    "leaves no descriptor behind, however connections end",
    () =>
      Effect.gen(function* () {
        const port = yield* listening(echo())
        const proxy = yield* openProxy({ alsoAllowed: [`127.0.0.1:${port}`] })
        const endings = [
          Effect.map(tunnelTo(proxy.socketPath, `127.0.0.1:${port}`), ({ socket }) => void socket.destroy()),
          Effect.map(tunnelTo(proxy.socketPath, `127.0.0.1:${port}`), ({ socket }) => void socket.resume().end("x")),
          tunnelTo(proxy.socketPath, "10.0.0.1:443"),
          raw(proxy.socketPath, "garbage\r\n\r\n"),
          raw(proxy.socketPath, `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
        ]
        const once = Effect.all(endings, { concurrency: "unbounded", discard: true })
        yield* once
        const before = yield* descriptors
        yield* Effect.all(
          Array.from({ length: 50 }, () => once),
          { concurrency: 10, discard: true }
        )
        yield* until(Effect.map(descriptors, (now) => now <= before))
      }),
    120_000
  )
})
