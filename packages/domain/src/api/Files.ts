import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { FileId, SessionId } from "../Ids.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { anyFailure } from "./ApiError.ts"
import { Page, pageQuery } from "./Page.ts"

export const File = Schema.Struct({
  id: FileId,
  type: Schema.Literal("file"),
  filename: Schema.String,
  mime_type: Schema.String,
  size_bytes: Schema.Int,
  created_at: Schema.String,
  downloadable: Schema.Boolean,
  expires_at: Schema.NullOr(Schema.String),
  /** Where it belongs to one: the session that was given it, or made it. It goes with the session. */
  scope: Schema.NullOr(Schema.Struct({ type: Schema.Literal("session"), id: SessionId })),
  troupe: Schema.Struct({
    sha256: Sha256Hex,
    /** Of what an agent made: where in its sandbox it was. */
    path: Schema.NullOr(Schema.String)
  })
}).annotate({ identifier: "File" })
export type File = typeof File.Type

/** Seconds: an hour to ninety days. */
export const expiresInSeconds = { minimum: 3_600, maximum: 7_776_000 } as const
export const idsMax = 100

const one = { id: FileId }

/** `multipart/form-data`: one part `file`, and how many seconds the file is to live. */
const FileUpload = Schema.Struct({
  file: Schema.String.annotate({ contentEncoding: "binary" }),
  expires_in_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween(expiresInSeconds)))
}).pipe(HttpApiSchema.asMultipart())

export const upload = HttpApiEndpoint.post("uploadFile", "/v1/files", {
  payload: FileUpload,
  success: File,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listFiles", "/v1/files", {
  query: {
    ...pageQuery,
    scope_id: Schema.optionalKey(SessionId),
    /** As clients before 1.0 page: files behind this one. */
    after_id: Schema.optionalKey(FileId),
    "ids[]": Schema.optionalKey(Schema.Array(Schema.String))
  },
  success: Page(File),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveFile", "/v1/files/:id", {
  params: one,
  success: File,
  error: anyFailure
})
export const download = HttpApiEndpoint.get("downloadFile", "/v1/files/:id/content", {
  params: one,
  success: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/octet-stream" })),
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteFile", "/v1/files/:id", {
  params: one,
  success: Schema.Struct({ id: FileId, type: Schema.Literal("file_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("files").add(upload, list, retrieve, download, remove)
