import { type ApiFailure, attempt, invalid } from "@troupe/domain/api/ApiError"
import { fileNameOf, mimeTypeOf } from "@troupe/domain/api/compat/fileName"
import { expiresInSeconds } from "@troupe/domain/api/Files"
import type * as Api from "@troupe/domain/api/Files"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Idempotency, toResponse } from "../gateway/Idempotency.ts"
import { Caller } from "../gateway/Requests.ts"
import { type Asked, answerOf } from "../gateway/Route.ts"
import { Files } from "./Files.ts"
import { aroundBytesMax, type FormEvent, readForm } from "./formEvents.ts"
import { type Staging, tooLarge } from "./Staging.ts"

const secondsOf = (text: string) => {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0
  const { maximum, minimum } = expiresInSeconds
  return seconds >= minimum && seconds <= maximum
    ? Effect.succeed(seconds)
    : Effect.fail(invalid(`expires_in_seconds: takes ${minimum} to ${maximum}`))
}

/** Refuses what can be seen to be none before it is read. */
const checkHeaders = ({ headers }: HttpServerRequest, bytesMax: number): ApiFailure | undefined => {
  if (!/^multipart\/form-data\s*;/i.test(headers["content-type"] ?? "")) {
    return invalid("The Content-Type must be multipart/form-data")
  }
  return Number(headers["content-length"] ?? 0) > bytesMax + aroundBytesMax ? tooLarge(bytesMax) : undefined
}

/** Reads a body as it comes. Its file is in the staging by the end, for as long as the scope is open. */
const receive = Effect.fnUntraced(function* (request: HttpServerRequest) {
  const files = yield* Files
  const refused = checkHeaders(request, files.bytesMax)
  if (refused !== undefined) return yield* refused
  let file: { readonly filename: string; readonly mimeType: string; readonly staging: Staging } | null = null
  let seconds: number | null = null

  const take = Effect.fnUntraced(function* (event: FormEvent) {
    switch (event._tag) {
      case "Field":
        if (event.name !== "expires_in_seconds") {
          return yield* invalid(`${event.name.slice(0, 64)}: is not taken; takes file, expires_in_seconds`)
        }
        seconds = yield* secondsOf(event.value)
        return
      case "File": {
        if (file !== null) return yield* invalid("file: one file is taken at a time")
        const mimeType = mimeTypeOf(event.filename, event.contentType)
        const filename = yield* Effect.fromResult(attempt(() => fileNameOf(event.filename, mimeType)))
        file = { filename, mimeType, staging: yield* files.begin }
        return
      }
      case "Piece":
        if (file !== null) yield* file.staging.write(event.bytes)
    }
  })

  yield* readForm(request, files.bytesMax, take)
  const sent = file as { filename: string; mimeType: string; staging: Staging } | null
  if (sent === null) return yield* invalid("file: is missing")
  const { filename, mimeType, staging } = sent
  return { file: { filename, mimeType, expiresInSeconds: seconds as number | null }, staged: yield* staging.end }
})

/** Takes a file in. Sent again under its key, the same content is the same request. */
export const upload = Effect.fn("upload")(function* ({ caller }: Asked<typeof Api.upload>, request: HttpServerRequest) {
  const files = yield* Files
  const idempotency = yield* Idempotency
  const { file, staged } = yield* receive(request)
  const work = Effect.provideService(answerOf(files.upload(staged, file)), Caller, caller)
  const asked = () => `POST ${request.url}\n${JSON.stringify([file, staged.sha256])}`
  return toResponse(yield* idempotency.run({ caller, key: request.headers["idempotency-key"], asked }, work))
}, Effect.scoped)
