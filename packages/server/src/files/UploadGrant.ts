import { Actor } from "@troupe/domain/Actor"
import { ApiFailure } from "@troupe/domain/api/ApiError"
import { FileId, TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { Sha256Hex } from "@troupe/domain/log/Envelope"
import { Clock, Effect, Redacted, Schema } from "effect"
import { SecretBox } from "../secrets/SecretBox.ts"
import { sealing } from "../secrets/sealing.ts"

/** What was promised to whom. It is in the address itself, sealed, so that no node has to keep it. */
const Grant = Schema.Struct({
  fileId: FileId,
  workspaceId: WorkspaceId,
  tokenId: TokenId,
  actor: Actor,
  filename: Schema.String,
  mimeType: Schema.String,
  sizeBytes: Schema.NullOr(Schema.Int),
  sha256: Schema.NullOr(Sha256Hex),
  expiresInSeconds: Schema.NullOr(Schema.Int),
  /** Milliseconds since 1970. */
  endsAt: Schema.Int
})
export type Grant = typeof Grant.Type

const json = Schema.fromJsonString(Grant)
const encode = Schema.encodeSync(json)
const decode = Schema.decodeUnknownEffect(json)

const place = "an upload"

const refused = (message: string, code: string) => new ApiFailure({ type: "authentication_error", message, code })
const unknown = refused("This address opens no upload", "upload_unknown")
export const revoked = refused("The token that this upload was made with opens nothing any more", "upload_revoked")

export const seal = Effect.fn("UploadGrant.seal")(function* (grant: Grant) {
  const box = yield* SecretBox
  const sealed = yield* sealing(box.seal(place, Redacted.make(encode(grant))))
  return Buffer.from(sealed).toString("base64url")
})

/** What an address holds, while it holds. Whoever changed it, or made it up, learns no more than that. */
export const open = Effect.fn("UploadGrant.open")(function* (text: string) {
  if (!/^[\w-]+$/.test(text)) return yield* unknown
  const box = yield* SecretBox
  const opened = yield* sealing(box.open(place, Buffer.from(text, "base64url"))).pipe(
    Effect.catchTag("SecretSealed", () => Effect.fail(unknown))
  )
  const grant = yield* Effect.mapError(decode(Redacted.value(opened)), () => unknown)
  if (grant.endsAt <= (yield* Clock.currentTimeMillis)) {
    return yield* refused("This upload's time is over; make another", "upload_expired")
  }
  return grant
})
