import { ApiFailure, attempt } from "@troupe/domain/api/ApiError"
import { fileNameOf, mimeTypeOf } from "@troupe/domain/api/compat/fileName"
import { Sha256Hex } from "@troupe/domain/log/Envelope"
import { outputsPath } from "@troupe/domain/session/FileResource"
import { ByteSize, Effect, Layer, Option, Schema } from "effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Files } from "../files/Files.ts"
import { failureResponse, RequestId } from "../gateway/Requests.ts"
import { admitted } from "./admitted.ts"
import { apiError } from "./ApiError.ts"
import { refusing } from "./RunnerAuth.ts"

const noTicket = apiError("permission_error", "The ticket does not open this workspace's files to this runner")
const badName = apiError("invalid_request_error", "Content is named by its SHA-256 as 64 lower-case hexadecimal digits")
const isName = Schema.is(Sha256Hex)
const named = Effect.map(HttpRouter.params, ({ sha256 = "" }) => sha256)

/** What is refused says so in the shape of the API; the rest is for the log. */
const answering = <E extends { readonly _tag: string; readonly message: string }, R>(
  effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  refusing(
    Effect.catchIf(
      effect,
      (error): error is E & ApiFailure => error instanceof ApiFailure,
      (failure) => Effect.map(RequestId, (requestId) => failureResponse(failure, requestId))
    )
  )

/** Content of what a session was given. */
const get = Effect.gen(function* () {
  const session = yield* admitted
  if (Option.isNone(session)) return yield* noTicket
  const sha256 = yield* named
  if (!isName(sha256)) return yield* badName
  const files = yield* Files
  const found = yield* files.contentOf(session.value.workspaceId, sha256)
  if (Option.isNone(found)) return yield* apiError("not_found_error", `There is no content ${sha256}`)
  const { bytes, content } = found.value
  return HttpServerResponse.stream(content, { contentType: "application/octet-stream", contentLength: bytes })
}).pipe(answering)

/** Content of what a session's agent made, before it is told of. */
const put = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const session = yield* admitted
  if (Option.isNone(session)) return yield* noTicket
  const sha256 = yield* named
  if (!isName(sha256)) return yield* badName
  const files = yield* Files
  const staged = yield* files.stage(request.stream)
  if (staged.sha256 !== sha256) {
    return yield* apiError(
      "invalid_request_error",
      "The bytes are not those of the name: their SHA-256 is another",
      422
    )
  }
  yield* files.keep(session.value.workspaceId, staged)
  return HttpServerResponse.empty()
}).pipe(Effect.scoped, answering)

const toldBytesMax = 16_384
const Told = Schema.Struct({
  sha256: Sha256Hex,
  /** Below the outputs. */
  path: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(4_096), Schema.isPattern(/^[^/\0][^\0]*$/))
})
const decodeTold = Schema.decodeUnknownEffect(Schema.fromJsonString(Told))

/** Makes a file of what an agent made. Content that is not here yet is asked for by 404. */
const tell = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const session = yield* admitted
  if (Option.isNone(session)) return yield* noTicket
  const body = yield* request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(toldBytesMax)),
    Effect.flatMap(decodeTold),
    Effect.option
  )
  if (Option.isNone(body)) {
    return yield* apiError("invalid_request_error", `The body is {"path": …, "sha256": …} of a file below the outputs`)
  }
  const { path, sha256 } = body.value
  const files = yield* Files
  const filename = yield* Effect.fromResult(attempt(() => fileNameOf(path, "")))
  const mimeType = mimeTypeOf(filename, undefined)
  const made = { ...session.value, path: `${outputsPath}/${path}`, filename, mimeType, sha256 }
  const fileId = yield* files.output(made)
  if (Option.isNone(fileId)) return yield* apiError("not_found_error", `There is no content ${sha256}`)
  return HttpServerResponse.jsonUnsafe({ file_id: fileId.value })
}).pipe(answering)

/** Files of sessions go to and from their runners by plain HTTP, in streams. */
export const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/v1/runners/contents/:sha256", get),
  HttpRouter.add("PUT", "/v1/runners/contents/:sha256", put),
  HttpRouter.add("POST", "/v1/runners/outputs", tell)
)
