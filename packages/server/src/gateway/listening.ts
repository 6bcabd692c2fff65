import { Effect } from "effect"
import type * as Socket from "effect/socket/Socket"

interface Reader<E> {
  readonly pull: Effect.Effect<Iterable<Uint8Array | string>, E>
}

/** Takes what comes over a socket, until something of it calls for the socket's end. */
export const listening = <E1, E2, R>(
  reader: Reader<E1>,
  take: (message: Uint8Array | string) => Effect.Effect<Socket.CloseEvent | null, E2, R>
) =>
  Effect.gen(function* () {
    while (true) {
      for (const message of yield* reader.pull) {
        const closing = yield* take(message)
        if (closing !== null) return closing
      }
    }
  })
