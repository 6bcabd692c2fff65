import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import { type ContentsUnavailable, unavailable } from "./Contents.ts"

/** Ends in a failure where what came is not what its name says: a reader must not take it for whole. */
export const verified = (
  content: Stream.Stream<Uint8Array, ContentsUnavailable>,
  sha256: string
): Stream.Stream<Uint8Array, ContentsUnavailable> =>
  Stream.suspend(() => {
    const digest = createHash("sha256")
    const watched = Stream.map(content, (piece) => {
      digest.update(piece)
      return piece
    })
    const damaged = Effect.suspend(() => {
      const error = unavailable("read")(new Error(`content ${sha256} is damaged`))
      return Effect.andThen(Effect.logError(error.message, error), Effect.fail(error))
    })
    const check = Effect.suspend(() => (digest.digest("hex") === sha256 ? Effect.void : damaged))
    return Stream.concat(watched, Stream.drain(Stream.fromEffect(check)))
  })
