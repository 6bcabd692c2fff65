import { Effect, Stream } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { BlobError } from "./BlobError.ts"

/** What a node sends, in pieces, and never more of it than it should be. */
export const bodyOf = (
  response: HttpClientResponse.HttpClientResponse,
  { bytesMax, sha256 }: { readonly sha256: string; readonly bytesMax: number }
): Stream.Stream<Uint8Array, BlobError | HttpClientError> =>
  Stream.suspend(() => {
    let bytes = 0
    return Stream.mapEffect(response.stream, (piece) => {
      bytes += piece.length
      return bytes > bytesMax
        ? Effect.fail(new BlobError({ sha256, reason: "tooLarge", detail: `it has more than ${bytesMax} bytes` }))
        : Effect.succeed(piece)
    })
  })
