import { Schema } from "effect"
import { JsonObject } from "../Json.ts"
import { FileId } from "../Ids.ts"
import { Sha256Hex } from "../log/Envelope.ts"

/** Where a large payload lives when it is not in the event: its hash, its size, and enough of it to show. */
export const BlobRef = Schema.Struct({
  sha256: Sha256Hex,
  bytes: Schema.Int,
  mediaType: Schema.String,
  preview: Schema.String
})
export type BlobRef = typeof BlobRef.Type

export const Source = Schema.Union([
  Schema.Struct({ type: Schema.Literal("base64"), mediaType: Schema.String, data: Schema.String }),
  Schema.Struct({ type: Schema.Literal("text"), mediaType: Schema.String, data: Schema.String }),
  Schema.Struct({ type: Schema.Literal("url"), url: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("file"),
    fileId: FileId,
    /** What the file held when it was sent: by this it is had, whatever becomes of the file's name. */
    content: Schema.optionalKey(Schema.Struct({ sha256: Sha256Hex, bytes: Schema.Int, mediaType: Schema.String }))
  }),
  Schema.Struct({ type: Schema.Literal("blob"), blob: BlobRef })
])

/** One block of content. `redacted` is what remains where a redaction took the rest. */
export const Block = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("image"), source: Source }),
  Schema.Struct({
    type: Schema.Literal("document"),
    source: Source,
    title: Schema.optionalKey(Schema.String),
    context: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("search_result"), result: JsonObject }),
  Schema.Struct({ type: Schema.Literal("blob"), blob: BlobRef }),
  Schema.Struct({ type: Schema.Literal("redacted") })
])
export type Block = typeof Block.Type

export const Content = Schema.Array(Block)
export type Content = typeof Content.Type

export const text = (value: string): Content => [{ type: "text", text: value }]

/** What a model and people read of a call that was started and whose end nobody saw. */
export const unknownOutcomeText = "This call was started; whether it finished is not known. Check before you repeat it."
