import { type ApiFailure, attempt, conflict, invalid } from "@troupe/domain/api/ApiError"
import { fileNameOf, mimeTypeOf } from "@troupe/domain/api/compat/fileName"
import { timeOf } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Uploads"
import { FileId } from "@troupe/domain/Ids"
import { Clock, Effect, Option, Stream } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { RateLimits } from "../access/RateLimits.ts"
import { piecesOf } from "../gateway/Body.ts"
import { type Answer, Idempotency, toResponse } from "../gateway/Idempotency.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import { type Asked, answerOf } from "../gateway/Route.ts"
import { Tokens } from "../runners/Tokens.ts"
import { Files } from "./Files.ts"
import { quiet, quietMs } from "./formEvents.ts"
import { tooLarge } from "./Staging.ts"
import * as UploadGrant from "./UploadGrant.ts"

type Request = HttpServerRequest.HttpServerRequest

const addressOf = (origin: string | null, { headers }: Request, grant: string): string =>
  `${origin ?? `http://${headers["host"]}`}/v1/uploads?grant=${grant}`

/** Promises a file. Asked again under its key, it promises the same one: the address is made anew and nowhere kept. */
export const createUpload = (origin: string | null) =>
  Effect.fn("createUpload")(function* ({ caller, payload }: Asked<typeof Api.create>) {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { bytesMax } = yield* Files
    const { expires_in_seconds, filename: sent, mime_type, sha256 = null, size_bytes = null } = payload
    if (size_bytes !== null && size_bytes > bytesMax) return yield* tooLarge(bytesMax)
    const mimeType = mimeTypeOf(sent, mime_type)
    const filename = yield* Effect.fromResult(attempt(() => fileNameOf(sent, mimeType)))
    const fileId = FileId.make((yield* Mint)("File"))
    const { actor, tokenId, workspaceId } = caller
    const endsAt = (yield* Clock.currentTimeMillis) + (payload.valid_for_seconds ?? Api.validForSeconds.usual) * 1_000
    const grant = yield* UploadGrant.seal({
      ...{ fileId, workspaceId, tokenId, actor, filename, mimeType, sha256, endsAt },
      sizeBytes: size_bytes,
      expiresInSeconds: expires_in_seconds ?? null
    })
    const upload: Api.Upload = {
      type: "upload",
      file_id: fileId,
      method: "PUT",
      url: addressOf(origin, request, grant),
      bytes_max: size_bytes ?? bytesMax,
      expires_at: timeOf(endsAt)
    }
    return upload
  })

/** As the one who made the promise, for as long as that one may come in. */
const callerOf = Effect.fnUntraced(function* ({ actor, tokenId, workspaceId }: UploadGrant.Grant) {
  const tokens = yield* Tokens
  const token = Option.getOrUndefined(yield* tokens.find(workspaceId, tokenId))
  const now = yield* Clock.currentTimeMillis
  if (token === undefined || token.revokedAt !== null || (token.expiresAt ?? now + 1) <= now) {
    return yield* UploadGrant.revoked
  }
  yield* (yield* RateLimits).request(tokenId)
  const { bound, scopes } = token
  return Caller.of({ workspaceId, tokenId, keyId: tokenId, kind: "api_key", bound, scopes, actor })
})

const mismatch = (what: string, wanted: string | number, got: string | number, code: string): ApiFailure =>
  invalid(`The file's ${what} is ${got}, not ${wanted} as was promised`, code)

/** Takes the content as it comes, and looks whether it is what was promised. */
const receive = Effect.fnUntraced(function* (request: Request, grant: UploadGrant.Grant) {
  const files = yield* Files
  const { sha256, sizeBytes } = grant
  const bytesMax = sizeBytes ?? files.bytesMax
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return yield* tooLarge(bytesMax)
  const staging = yield* files.begin
  let bytes = 0
  const body = piecesOf(request).pipe(Stream.timeoutOrElse({ duration: quietMs, orElse: () => Stream.fail(quiet) }))
  yield* Stream.runForEach(body, (piece) => {
    bytes += piece.length
    return bytes > bytesMax ? Effect.fail(tooLarge(bytesMax)) : staging.write(piece)
  })
  const staged = yield* staging.end
  if (sizeBytes !== null && staged.bytes !== sizeBytes) {
    return yield* mismatch("size", sizeBytes, staged.bytes, "size_mismatch")
  }
  if (sha256 !== null && staged.sha256 !== sha256) {
    return yield* mismatch("SHA-256", sha256, staged.sha256, "sha256_mismatch")
  }
  return staged
})

const used = conflict("This upload's file was sent already, with other content; make another upload")

/** Makes the promised file. The same content sent again gets the first answer; other content is refused for good. */
export const sendUpload = Effect.fn("sendUpload")(function* (
  { grant: text }: Asked<typeof Api.send>["query"],
  request: Request
) {
  const grant = yield* UploadGrant.open(text)
  const caller = yield* callerOf(grant)
  const files = yield* Files
  const idempotency = yield* Idempotency
  const staged = yield* receive(request, grant)
  const { expiresInSeconds, fileId, filename, mimeType } = grant
  const work = answerOf(files.upload(staged, { filename, mimeType, expiresInSeconds })).pipe(
    Effect.provideService(Mint, () => fileId),
    Effect.provideService(Caller, caller)
  )
  const asked = () => `PUT upload ${fileId}\n${staged.sha256}`
  const answer: Answer = yield* idempotency.run({ caller, key: `upload.${fileId}`, asked }, work).pipe(
    Effect.catchIf(
      (error): error is ApiFailure => "final" in error && error.final === true,
      () => Effect.fail(used)
    )
  )
  return toResponse(answer)
}, Effect.scoped)
