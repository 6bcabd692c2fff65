import { Effect } from "effect"
import { createSocket } from "node:dgram"

const types = { 1: "A", 28: "AAAA" } as const

export interface Zone {
  readonly [name: string]: { readonly A?: ReadonlyArray<string>; readonly AAAA?: ReadonlyArray<ReadonlyArray<number>> }
}

/** A name server on the loopback that knows one zone, as `address:port`. */
export const nameServer = (zone: Zone) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly at: string; readonly close: () => void }>((resume) => {
      const socket = createSocket("udp4")
      socket.on("message", (query, { address, port }) => {
        const labels: Array<string> = []
        let at = 12
        for (let size = query[at]!; size > 0; size = query[at]!) {
          labels.push(query.toString("latin1", at + 1, at + 1 + size))
          at += size + 1
        }
        const question = query.subarray(12, at + 5)
        const type = types[query.readUInt16BE(at + 1) as keyof typeof types]
        const known = zone[labels.join(".").toLowerCase()]
        const data = (type === "A" ? known?.A?.map((text) => text.split(".").map(Number)) : known?.AAAA) ?? []
        const head = Buffer.from([
          query[0]!,
          query[1]!,
          0x81,
          known === undefined ? 0x83 : 0x80,
          0,
          1,
          0,
          data.length,
          0,
          0,
          0,
          0
        ])
        const records = data.map((bytes) =>
          Buffer.from([0xc0, 12, 0, type === "A" ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, bytes.length, ...bytes])
        )
        socket.send(Buffer.concat([head, question, ...records]), port, address)
      })
      socket.bind(0, "127.0.0.1", () => {
        const { port } = socket.address()
        resume(Effect.succeed({ at: `127.0.0.1:${port}`, close: () => socket.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
