import { SandboxId, SessionId } from "@troupe/domain/Ids"
import type { NetworkPolicy } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultLimits, EgressProxy, type OpenEgress } from "../../src/egress/EgressProxy.ts"
import type { EgressRecord } from "../../src/egress/EgressRecord.ts"
import { Interception, type Rewrite } from "../../src/egress/Interception.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { type Names, outbound } from "./outbound.ts"
import type { EgressLimits } from "../../src/egress/SandboxEgress.ts"
import type { DialTimeouts } from "../../src/egress/Outbound.ts"

export interface WorldOptions {
  readonly alsoAllowed?: ReadonlyArray<string>
  readonly ours?: ReadonlyArray<string>
  readonly names?: Names
  readonly policy?: NetworkPolicy
  readonly mcpHosts?: OpenEgress["mcpHosts"]
  readonly limits?: Partial<EgressLimits>
  readonly timeouts?: DialTimeouts
  /** Hosts whose TLS is ended, with what is done to their requests. */
  readonly rewrites?: Readonly<Record<string, Rewrite>>
  readonly certificates?: ReadonlyArray<string>
  readonly owner?: OpenEgress["owner"]
}

export const ids = {
  sessionId: SessionId.make(`sesn_01${"1".repeat(21)}2`),
  sandboxId: SandboxId.make(`sbx_01${"1".repeat(21)}3`)
}

export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "egress-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** An open proxy for one sandbox, with what it records. */
export const openProxy = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  const directory = yield* temporaryDirectory
  const socketPath = join(directory, "egress.sock")
  const bundlePath = join(directory, "ca.pem")
  const records: Array<EgressRecord> = []
  const waiting = new Set<() => void>()
  const rewrites = options.rewrites ?? {}
  const layer = EgressProxy.layer({ ...defaultLimits, ...options.limits }).pipe(
    Layer.provide([
      outbound(options.alsoAllowed ?? [], options.names, {
        ours: options.ours ?? [],
        ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts })
      }),
      Layer.orDie(TrustStore.layer(options.certificates ?? [])),
      Layer.succeed(Interception, Interception.of({ intercept: ({ host }) => Effect.sync(() => rewrites[host]) }))
    ])
  )
  const proxy = yield* EgressProxy.pipe(Effect.provide(layer))
  const openAt = (at: string) =>
    proxy.open({
      ...ids,
      socketPath: at,
      bundlePath,
      policy: options.policy ?? { type: "unrestricted" },
      mcpHosts: options.mcpHosts ?? [],
      log: (record) =>
        Effect.sync(() => {
          records.push(record)
          for (const wake of waiting) wake()
        }),
      ...(options.owner === undefined ? {} : { owner: options.owner })
    })
  yield* openAt(socketPath)
  /** Waits until so many records are there. */
  const recorded = (count: number) =>
    Effect.callback<ReadonlyArray<EgressRecord>>((resume) => {
      const look = () => {
        if (records.length < count) return
        waiting.delete(look)
        resume(Effect.succeed([...records]))
      }
      waiting.add(look)
      look()
    })
  return { directory, socketPath, bundlePath, records, recorded, openAt }
})

export interface Reply {
  readonly status: number
  readonly head: string
  /** What came until the other end closed, after the head. Only of answers that are not 200. */
  readonly body: string
  readonly socket: Socket
}

const allOf = (socket: Socket, first: string) =>
  new Promise<string>((resolve) => {
    let text = first
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")))
    socket.once("close", () => resolve(text))
  })

/** Everything that comes back for these bytes, until the connection is closed. */
export const raw = (socketPath: string, bytes: string) =>
  Effect.promise(() => {
    const socket = connect(socketPath)
    socket.on("error", () => {})
    socket.write(bytes, "latin1")
    return allOf(socket, "")
  })

/** Asks for a tunnel. The socket is the caller's. */
export const tunnelTo = (socketPath: string, authority: string, also = ""): Effect.Effect<Reply> =>
  Effect.promise(
    () =>
      new Promise((resolve, reject) => {
        const socket = connect(socketPath)
        let text = ""
        socket.on("error", reject)
        socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n${also}`)
        const early = () => reject(new Error(`closed after ${JSON.stringify(text)}`))
        const look = (chunk: Buffer) => {
          text += chunk.toString("latin1")
          const at = text.indexOf("\r\n\r\n")
          if (at === -1) return
          socket.off("data", look)
          socket.off("close", early)
          const head = text.slice(0, at)
          const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
          const rest = text.slice(at + 4)
          if (status === 200) {
            socket.pause()
            if (rest !== "") socket.unshift(Buffer.from(rest, "latin1"))
            resolve({ status, head, body: "", socket })
          } else {
            void allOf(socket, rest).then((body) => resolve({ status, head, body, socket }))
          }
        }
        socket.on("data", look)
        socket.once("close", early)
      })
  )

/** Reads a tunnel to its end. */
export const readAll = (socket: Socket) =>
  Effect.promise(() => {
    const text = allOf(socket, "")
    socket.resume()
    return text
  })
