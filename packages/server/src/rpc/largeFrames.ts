import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Socket from "effect/socket/Socket"
import { BodyRoom, smallBytes } from "../gateway/BodyRoom.ts"
import { caughtUp } from "../gateway/drained.ts"
import { shapeRefused } from "../gateway/JsonShape.ts"

const closes = {
  garbage: new Socket.CloseEvent(4400, "a message goes too deep, or has too many values"),
  slow: new Socket.CloseEvent(4408, "what was answered was not taken in time"),
  busy: new Socket.CloseEvent(1013, "this node works on as many large messages as it has room for; try again")
}

type Frame = Uint8Array | string

/** Many short messages come together: between so many of them, it is looked whether the answers are taken. */
const framesAtOnce = 16

/**
 * A socket whose large frames have their place among all that the node has room for, as bodies of requests have, until the
 * next one is asked for: by then they were read, and their calls have taken what they need. Whoever finds no room is told
 * to come again by the end of the socket. Nothing is read from who does not take the answers.
 */
export const withRoom = Effect.fnUntraced(function* (socket: Socket.Socket, request: HttpServerRequest) {
  const room = yield* BodyRoom
  const writer = yield* socket.writer
  let taken = 0
  const give = () => {
    room.give(taken)
    taken = 0
  }
  yield* Effect.addFinalizer(() => Effect.sync(give))

  const refusalOf = (frames: ReadonlyArray<Frame>): Socket.CloseEvent | undefined => {
    for (const frame of frames) {
      if (frame.length <= smallBytes) continue
      if (!room.take(frame.length)) return closes.busy
      taken += frame.length
      if (shapeRefused(Buffer.from(frame as string)) !== undefined) return closes.garbage
    }
    return undefined
  }

  let waiting: ReadonlyArray<Frame> = []
  const portion = () => {
    const frames = waiting.slice(0, framesAtOnce) as [Frame, ...Array<Frame>]
    waiting = waiting.slice(framesAtOnce)
    return frames
  }

  const counting = ({ pull, upgrade }: Socket.Reader): Socket.Reader => {
    // What comes meanwhile is let go of, until the other side has closed too.
    const refuse = (refusal: Socket.CloseEvent) =>
      Effect.andThen(Effect.ignore(writer.write(refusal)), Effect.forever(pull))
    const read = Effect.suspend(() => {
      if (waiting.length > 0) return Effect.succeed(portion())
      give()
      return Effect.flatMap(pull, (frames) => {
        const refusal = refusalOf(frames)
        if (refusal === undefined) {
          waiting = frames
          return Effect.succeed(portion())
        }
        give()
        return refuse(refusal)
      })
    })
    const isSlow = Effect.match(caughtUp(request), { onFailure: () => true, onSuccess: () => false })
    return { upgrade, pull: Effect.flatMap(isSlow, (slow) => (slow ? refuse(closes.slow) : read)) }
  }
  return Socket.make({ reader: Effect.map(socket.reader, counting), writer: socket.writer })
})

/** About as many bytes as a value takes: those of its texts. */
export const weightOf = (value: unknown): number => {
  const open = [value]
  let bytes = 0
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one === "string") bytes += one.length
    else if (typeof one === "object" && one !== null) open.push(...Object.values(one))
  }
  return bytes
}
