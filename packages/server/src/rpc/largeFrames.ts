import { Effect } from "effect"
import * as Socket from "effect/socket/Socket"
import { BodyRoom, smallBytes } from "../gateway/BodyRoom.ts"
import { shapeRefused } from "../gateway/JsonShape.ts"

const closes = {
  garbage: new Socket.CloseEvent(4400, "a message goes too deep, or has too many values"),
  busy: new Socket.CloseEvent(1013, "this node works on as many large messages as it has room for; try again")
}

type Frame = Uint8Array | string

/**
 * A socket whose large frames have their place among all that the node has room for, as bodies of requests have, until the
 * next one is asked for: by then they were read, and their calls have taken what they need. Whoever finds no room is told
 * to come again by the end of the socket.
 */
export const withRoom = Effect.fnUntraced(function* (socket: Socket.Socket) {
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

  const counting = ({ pull, upgrade }: Socket.Reader): Socket.Reader => ({
    upgrade,
    pull: Effect.flatMap(
      Effect.suspend(() => {
        give()
        return pull
      }),
      (frames) => {
        const refusal = refusalOf(frames)
        if (refusal === undefined) return Effect.succeed(frames)
        give()
        // What comes meanwhile is let go of, until the other side has closed too.
        return Effect.andThen(Effect.ignore(writer.write(refusal)), Effect.forever(pull))
      }
    )
  })
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
