import { type ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as MultipartParser from "effect/http/MultipartParser"
import { piecesOf } from "../gateway/Body.ts"
import { tooLarge } from "./Staging.ts"

/** What a body in parts is read as, in its order. */
export type FormEvent =
  | { readonly _tag: "Field"; readonly name: string; readonly value: string }
  | { readonly _tag: "File"; readonly filename: string; readonly contentType: string | undefined }
  | { readonly _tag: "Piece"; readonly bytes: Uint8Array }

/** What a body has beside its file: boundaries, the headers of parts, another field. */
export const aroundBytesMax = 65_536
const fieldBytesMax = 1_024
const partsMax = 8

/** However long a file takes, something of it has to come this often. */
export const quietMs = 30_000
export const quiet = invalid(`Nothing of the body came for ${quietMs / 1_000} seconds`, "request_body_timeout")

const failureOf = (error: MultipartParser.MultipartError, bytesMax: number): ApiFailure => {
  if (error._tag !== "ReachedLimit") return invalid("The body can't be read as multipart/form-data")
  const { limit } = error
  if (limit === "MaxPartSize" || limit === "MaxTotalSize") return tooLarge(bytesMax)
  return invalid(limit === "MaxParts" ? "The body has too many parts" : "The body has a field that is too long")
}

/**
 * Reads a body with one file as it comes, and waits for each event to be dealt with. The part of that name is a file also
 * where nobody gave it a name of its own.
 */
export const readForm = Effect.fnUntraced(function* <E, R>(
  request: HttpServerRequest,
  bytesMax: number,
  take: (event: FormEvent) => Effect.Effect<void, E, R>
): Effect.fn.Return<void, E | ApiFailure, R> {
  let waiting: Array<FormEvent> = []
  let failure: ApiFailure | null = null
  const parser = MultipartParser.make({
    headers: request.headers,
    isFile: ({ name }) => name === "file",
    maxParts: partsMax,
    maxFieldSize: fieldBytesMax,
    maxPartSize: bytesMax,
    maxTotalSize: bytesMax + aroundBytesMax,
    onField: (info, value) => {
      waiting.push({ _tag: "Field", name: info.name, value: MultipartParser.decodeField(info, value) })
    },
    onFile: ({ contentType, filename = "", headers }) => {
      waiting.push({
        _tag: "File",
        filename,
        contentType: headers["content-type"] === undefined ? undefined : contentType
      })
      return (bytes) => {
        if (bytes !== null) waiting.push({ _tag: "Piece", bytes })
      }
    },
    onError: (error) => {
      failure ??= failureOf(error, bytesMax)
    },
    onDone: () => undefined
  })
  const dealt = Effect.suspend((): Effect.Effect<void, E | ApiFailure, R> => {
    if (failure !== null) return Effect.fail(failure)
    const events = waiting
    waiting = []
    return Effect.forEach(events, take, { discard: true })
  })
  const body = piecesOf(request).pipe(Stream.timeoutOrElse({ duration: quietMs, orElse: () => Stream.fail(quiet) }))
  yield* Stream.runForEach(body, (chunk) => {
    parser.write(chunk)
    return dealt
  })
  parser.end()
  yield* dealt
})
