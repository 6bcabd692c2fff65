import { Effect, Queue } from "effect"
import type * as RpcClient from "effect/rpc/RpcClient"

/** Items of a stream that may wait for their reader before its sender has to. */
const waitingMax = 16

/** What is known of one stream: its queue, and the acknowledgement that its sender waits for. */
export interface Gate {
  queue: Queue.Dequeue<unknown, unknown> | null
  owed: Effect.Effect<void> | null
}

export const gateHeader = "x-troupe-gate"

/**
 * Streams share a connection, and the client stops reading it while one of them is full: a reader who looks away would
 * hold up all others, and the pings with them. So queues have no bound, and what keeps them short is the acknowledgement,
 * without which a sender sends no more: it leaves once the reader has caught up.
 */
export const make = (inner: RpcClient.Protocol["Service"]) => {
  const named = new Map<string, Gate>()
  const requests = new Map<string | number, Gate>()
  let next = 0

  const protocol: RpcClient.Protocol["Service"] = {
    ...inner,
    run: (clientId, take) =>
      inner.run(clientId, (message) => {
        if (message._tag === "Exit") requests.delete(message.requestId)
        return take(message)
      }),
    send: (clientId, message, transferables) => {
      const send = inner.send(clientId, message, transferables)
      if (message._tag === "Request") {
        const gate = named.get(message.headers.find(([name]) => name === gateHeader)?.[1] ?? "")
        if (gate !== undefined) requests.set(message.id, gate)
      }
      if (message._tag === "Interrupt") requests.delete(message.requestId)
      if (message._tag !== "Ack") return send
      const gate = requests.get(message.requestId)
      if (gate === undefined || gate.queue === null || Queue.sizeUnsafe(gate.queue) <= waitingMax) return send
      gate.owed = Effect.ignore(send)
      return Effect.void
    }
  }

  /** A gate by the name under which its request goes out. */
  const open = Effect.acquireRelease(
    Effect.sync(() => {
      const name = String(next++)
      const gate: Gate = { queue: null, owed: null }
      named.set(name, gate)
      return { name, gate }
    }),
    ({ name }) => Effect.sync(() => named.delete(name))
  )

  return { protocol, open }
}

/** The queue was emptied. */
export const caughtUp = (gate: Gate): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { owed } = gate
    gate.owed = null
    return owed ?? Effect.void
  })
