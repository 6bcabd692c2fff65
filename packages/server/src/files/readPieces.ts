import { Effect, Stream } from "effect"
import { type FileHandle, open } from "node:fs/promises"
import { type ContentsUnavailable, type Range, unavailable } from "./Contents.ts"

/** Fewer bytes where the file ends before. */
const readAt = async (file: FileHandle, at: number, length: number): Promise<Uint8Array> => {
  const piece = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(piece, filled, length - filled, at + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return piece.subarray(0, filled)
}

/** What is in a file of ours, in pieces. A file that ends before its time is a failure, and no end. */
export const readPieces = (
  path: string,
  { length, offset }: Range,
  pieceBytes: number
): Stream.Stream<Uint8Array, ContentsUnavailable> =>
  Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(Effect.tryPromise({ try: () => open(path, "r"), catch: unavailable("open") }), (file) =>
        Effect.promise(() => file.close())
      ),
      (file) =>
        Stream.unfold(0, (done) =>
          Effect.gen(function* () {
            const wanted = Math.min(pieceBytes, length - done)
            if (wanted <= 0) return undefined
            const piece = yield* Effect.tryPromise({
              try: () => readAt(file, offset + done, wanted),
              catch: unavailable("read")
            })
            if (piece.length < wanted)
              return yield* unavailable("read")(new Error("the file is shorter than it should be"))
            return [piece, done + wanted] as const
          })
        )
    )
  )
