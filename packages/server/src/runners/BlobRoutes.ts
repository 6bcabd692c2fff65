import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Sha256Hex } from "@troupe/domain/log/Envelope"
import { ByteSize, Effect, Layer, Option, Result, Schema } from "effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Files } from "../files/Files.ts"
import { readBytes } from "../gateway/Body.ts"
import { failureResponse, RequestId } from "../gateway/Requests.ts"
import { BlobStore, nameOf } from "../log/BlobStore.ts"
import { admitted } from "./admitted.ts"
import { apiError } from "./ApiError.ts"
import { refusing } from "./RunnerAuth.ts"

/** Working copies are cut into pieces, so none is large. */
export const blobBytesMax = 8 * 1_048_576
const namesMax = 10_000
const namesBytesMax = 1_048_576

const noTicket = apiError("permission_error", "The ticket does not open this workspace's blobs to this runner")
const badName = apiError("invalid_request_error", "A blob's name is its SHA-256 as 64 lower-case hexadecimal digits")
const tooLarge = new ApiFailure({
  type: "request_too_large",
  message: `A blob has at most ${blobBytesMax} bytes`
})
const isName = Schema.is(Sha256Hex)

const named = Effect.map(HttpRouter.params, ({ sha256 = "" }) => sha256)

const get = Effect.gen(function* () {
  const workspace = yield* admitted
  if (Option.isNone(workspace)) return yield* noTicket
  const sha256 = yield* named
  if (!isName(sha256)) return yield* badName
  const blobs = yield* BlobStore
  const blob = yield* blobs.get(workspace.value.workspaceId, sha256)
  if (Option.isSome(blob)) {
    return HttpServerResponse.uint8Array(blob.value.bytes, { contentType: blob.value.mediaType })
  }
  // A picture of a conversation may be a file of its workspace. Whether a blob is kept is another question: files may go.
  const { method } = yield* HttpServerRequest.HttpServerRequest
  const files = yield* Files
  const file = method === "HEAD" ? Option.none() : yield* files.contentOf(workspace.value.workspaceId, sha256)
  if (Option.isNone(file)) return yield* apiError("not_found_error", `There is no blob ${sha256}`)
  const { bytes, content } = file.value
  return HttpServerResponse.stream(content, { contentType: "application/octet-stream", contentLength: bytes })
}).pipe(refusing)

/** What a body says about itself is checked before it is read, and what it is while it is. */
const put = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const workspace = yield* admitted
  if (Option.isNone(workspace)) return yield* noTicket
  const sha256 = yield* named
  if (!isName(sha256)) return yield* badName
  const read = yield* Effect.result(readBytes(request, blobBytesMax, tooLarge))
  if (Result.isFailure(read)) return failureResponse(read.failure, yield* RequestId)
  const bytes = read.success
  if ((yield* nameOf(bytes)) !== sha256) {
    return yield* apiError(
      "invalid_request_error",
      "The bytes are not those of the name: their SHA-256 is another",
      422
    )
  }
  const blobs = yield* BlobStore
  yield* blobs.put(workspace.value.workspaceId, bytes, request.headers["content-type"] ?? "application/octet-stream")
  return HttpServerResponse.empty()
}).pipe(refusing)

const Names = Schema.Struct({ sha256: Schema.Array(Sha256Hex).check(Schema.isMaxLength(namesMax)) })
const decodeNames = Schema.decodeUnknownEffect(Schema.fromJsonString(Names))

const missing = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const workspace = yield* admitted
  if (Option.isNone(workspace)) return yield* noTicket
  const body = yield* request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(namesBytesMax)),
    Effect.flatMap(decodeNames),
    Effect.option
  )
  if (Option.isNone(body)) {
    return yield* apiError("invalid_request_error", `The body is {"sha256": [name, …]} with at most ${namesMax} names`)
  }
  const blobs = yield* BlobStore
  const absent = yield* blobs.missing(workspace.value.workspaceId, body.value.sha256)
  return HttpServerResponse.jsonUnsafe({ missing: absent })
}).pipe(refusing)

/** Artifacts of runners travel by plain HTTP: large bytes would hold up what else goes over a link. */
export const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/v1/runners/blobs/:sha256", get),
  HttpRouter.add("PUT", "/v1/runners/blobs/:sha256", put),
  HttpRouter.add("POST", "/v1/runners/blobs/missing", missing)
)
