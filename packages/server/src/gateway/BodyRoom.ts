import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Context, Effect } from "effect"

/** Up to this, content finds room at all times: what a node has of such is bounded by its connections. */
export const smallBytes = 65_536

const full = new ApiFailure({
  type: "overloaded_error",
  message: "This node works on as many large requests as it has room for; try again",
  retryAfterMs: 1_000
})

/** So many bytes for the large content of all requests that a node works on, as it comes and until they are answered. */
export class Room {
  readonly bytesMax: number
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get takenBytes(): number {
    return this.bytes
  }

  take(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false
    this.bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.bytes -= bytes
  }
}

/** Bytes, text, values and answer of a request take about seven times as much as its body: 20 of 31 MB at once come to a gigabyte. */
export const BodyRoom = Context.Reference<Room>("server/BodyRoom", {
  defaultValue: () => new Room(128 * 1_048_576)
})

/**
 * Room for what one request has in memory, for as long as the scope is open. It is taken as content comes: who announces
 * much and sends nothing takes no room from others. Whoever finds none is told to come again, and holds nothing meanwhile.
 */
export const roomOf = Effect.gen(function* () {
  const room = yield* BodyRoom
  let bytes = 0
  let taken = 0
  yield* Effect.addFinalizer(() => Effect.sync(() => room.give(taken)))
  return {
    take: (more: number) =>
      Effect.suspend(() => {
        bytes += more
        if (bytes <= smallBytes) return Effect.void
        const wanted = bytes - taken
        if (!room.take(wanted)) return Effect.fail(full)
        taken += wanted
        return Effect.void
      })
  }
})
