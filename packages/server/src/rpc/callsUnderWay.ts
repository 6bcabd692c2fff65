import { Effect, Latch } from "effect"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import type { Protocol } from "effect/rpc/RpcServer"

/** Of one socket, at once. Who sends more is not read meanwhile. */
const underWayMax = 100

const others: ReadonlySet<string> = new Set(["Ack", "Interrupt", "Ping", "Eof"])

/** Whether it is a message at all, and a call can be answered: what comes is JSON of whoever sends it. */
const isMessage = (message: FromClientEncoded): boolean =>
  message._tag === "Request" ? ["string", "number"].includes(typeof message.id) : others.has(message._tag)

interface Line {
  readonly open: Set<number | string>
  readonly room: Latch.Latch
}

/**
 * Lets no more than so many calls of a socket be under way. Those that follow something go on for as long as their callers
 * like, and are counted for themselves. Each call is answered, also those that ask not to be.
 */
export const callsUnderWay = (protocol: Protocol["Service"], goesOn: (tag: string) => boolean): Protocol["Service"] => {
  const lines = new Map<number, Line>()

  const enter = (clientId: number, requestId: number | string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const line = lines.get(clientId) ?? { open: new Set(), room: Latch.makeUnsafe(true) }
      lines.set(clientId, line)
      if (line.open.size >= underWayMax) return Effect.andThen(line.room.await, enter(clientId, requestId))
      line.open.add(requestId)
      if (line.open.size === underWayMax) line.room.closeUnsafe()
      return Effect.void
    })

  const leave = (clientId: number, requestId: number | string): void => {
    const line = lines.get(clientId)
    if (line === undefined || !line.open.delete(requestId)) return
    line.room.openUnsafe()
    if (line.open.size === 0) lines.delete(clientId)
  }

  return {
    ...protocol,
    run: (take) =>
      protocol.run((clientId, message) => {
        // Ends the socket, and so does what can't be read of a message.
        if (!isMessage(message)) return Effect.interrupt
        if (message._tag !== "Request" || goesOn(message.tag)) return take(clientId, message)
        const { discard: _, isNotification: __, ...call } = message
        return Effect.andThen(enter(clientId, call.id), take(clientId, call))
      }),
    send: (clientId, message, transferables) => {
      if (message._tag === "Exit") leave(clientId, message.requestId)
      return protocol.send(clientId, message, transferables)
    }
  }
}
