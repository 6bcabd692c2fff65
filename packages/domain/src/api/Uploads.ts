import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { FileId } from "../Ids.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { anyFailure } from "./ApiError.ts"
import { Name, Text } from "./Common.ts"
import { expiresInSeconds, File } from "./Files.ts"

/** Seconds in which what was promised may be sent: a minute to twelve hours. */
export const validForSeconds = { minimum: 60, maximum: 43_200, usual: 900 } as const

export const UploadCreate = Schema.Struct({
  filename: Text(1_024),
  mime_type: Schema.optionalKey(Name(255)),
  /** How many bytes there will be, where that is known: no other number is taken then. */
  size_bytes: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /** What their SHA-256 will be, where that is known: nothing else is taken then. */
  sha256: Schema.optionalKey(Sha256Hex),
  /** How long the file lives, from when it was sent. */
  expires_in_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween(expiresInSeconds))),
  valid_for_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween(validForSeconds)))
})
export type UploadCreate = typeof UploadCreate.Type

/** A promise of one file: whoever has the address may send it, once, without a key. */
export const Upload = Schema.Struct({
  type: Schema.Literal("upload"),
  /** The id that the file will have. */
  file_id: FileId,
  method: Schema.Literal("PUT"),
  url: Schema.String,
  bytes_max: Schema.Int,
  expires_at: Schema.String
}).annotate({ identifier: "Upload" })
export type Upload = typeof Upload.Type

export const create = HttpApiEndpoint.post("createUpload", "/v1/uploads", {
  payload: UploadCreate,
  success: Upload,
  error: anyFailure
})
/** The body is the file's content, of any type. No key is needed: the address is signed. */
export const send = HttpApiEndpoint.put("sendUpload", "/v1/uploads", {
  query: { grant: Schema.String.check(Schema.isMaxLength(8_192)) },
  success: File,
  error: anyFailure
})

export const group = HttpApiGroup.make("uploads").add(create, send)
