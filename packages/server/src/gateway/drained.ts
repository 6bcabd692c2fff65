import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { type Cause, Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Writable } from "node:stream"

/** Passes once the other side has taken what was written, or is gone. */
export const drained = (written: Pick<Writable, "once" | "off">): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    written.once("drain", done)
    written.once("close", done)
    return Effect.sync(() => {
      written.off("drain", done)
      written.off("close", done)
    })
  })

/** What may wait here for the other side of a socket before it is waited for. */
const waitingBytesMax = 1_048_576
/** How long the other side may take nothing then. */
const slowAfterMs = 30_000

/** WebSockets take all that is written to them, however slow the other side is: passes once that has nearly caught up. */
export const caughtUp = (request: HttpServerRequest): Effect.Effect<void, Cause.TimeoutError> =>
  Effect.suspend(() => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
    if (socket.destroyed || socket.writableLength <= waitingBytesMax) return Effect.void
    return Effect.timeout(drained(socket), slowAfterMs)
  })
