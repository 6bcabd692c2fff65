import { Result, Schema } from "effect"
import type { JsonObject } from "../../Json.ts"
import { FileId } from "../../Ids.ts"
import type { Block, BlobRef, Content } from "../../session/Content.ts"
import { invalid, refuse } from "../ApiError.ts"
import { describe } from "../problems.ts"

const Media = Schema.String.check(Schema.isPattern(/^[\w.+-]+\/[\w.+-]+$/), Schema.isMaxLength(255))
const Base64 = Schema.Struct({
  type: Schema.Literal("base64"),
  media_type: Media,
  data: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9+/]*={0,2}$/))
})
const Url = Schema.Struct({
  type: Schema.Literal("url"),
  url: Schema.String.check(Schema.isPattern(/^https?:\/\/\S+$/i), Schema.isMaxLength(8_192))
})
const Plain = Schema.Struct({ type: Schema.Literal("text"), media_type: Media, data: Schema.String })
const File = Schema.Struct({ type: Schema.Literal("file"), file_id: FileId })

const nullish = <S extends Schema.Top>(field: S) => Schema.optionalKey(Schema.NullOr(field))
const BlockIn = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("image"), source: Schema.Union([Base64, Url, File]) }),
  Schema.Struct({
    type: Schema.Literal("document"),
    source: Schema.Union([Base64, Plain, Url, File]),
    title: nullish(Schema.String),
    context: nullish(Schema.String)
  }),
  Schema.StructWithRest(Schema.Struct({ type: Schema.Literal("search_result") }), [
    Schema.Record(Schema.String, Schema.Json)
  ])
])
type BlockIn = typeof BlockIn.Type
type SourceIn = Extract<BlockIn, { readonly type: "image" | "document" }>["source"]

const decode = Schema.decodeUnknownResult(BlockIn)

export type BlockType = BlockIn["type"]

const source = (given: SourceIn) => {
  switch (given.type) {
    case "url":
      return given
    // Whether there is one is found out by whoever has the files.
    case "file":
      return { type: "file" as const, fileId: given.file_id }
    case "base64":
    case "text":
      return { type: given.type, mediaType: given.media_type, data: given.data }
  }
}

const block = (given: BlockIn): Block => {
  switch (given.type) {
    case "text":
      return given
    case "image":
      return { type: "image", source: source(given.source) }
    case "document": {
      const { context, title } = given
      const named = { ...(title == null ? {} : { title }), ...(context == null ? {} : { context }) }
      return { type: "document", source: source(given.source), ...named }
    }
    case "search_result":
      return { type: "search_result", result: given as JsonObject }
  }
}

/** Content that a client sent. Throws what is wrong with it. */
export const contentIn = (blocks: ReadonlyArray<unknown>, at: string, taken: ReadonlyArray<BlockType>): Content =>
  blocks.map((raw, index) => {
    const place = `${at}.${index}`
    const type = typeof raw === "object" && raw !== null && "type" in raw ? raw.type : undefined
    if (!taken.some((one) => one === type)) refuse(`${place}.type: takes ${taken.join(", ")}`)
    const result = decode(raw, { errors: "all", onExcessProperty: "error" })
    if (Result.isFailure(result)) throw invalid(describe(result.failure, place))
    return block(result.success)
  })

/** Where the whole is of what was spilled, for those who fill it in. */
const elsewhere = ({ bytes: size_bytes, sha256 }: BlobRef): JsonObject => ({ troupe: { sha256, size_bytes } })

/** Content as clients of the compatible API see it. What was spilled is shown by its beginning. */
export const contentOut = (content: Content): ReadonlyArray<JsonObject> =>
  content.map((one): JsonObject => {
    switch (one.type) {
      case "text":
        return { type: "text", text: one.text }
      case "redacted":
        return { type: "redacted" }
      case "search_result":
        return one.result
      case "blob":
        return { type: "text", text: one.blob.preview, ...elsewhere(one.blob) }
      case "image":
      case "document": {
        const { type, ...rest } = one
        return { ...(rest as JsonObject), type, source: sourceOut(one.source) }
      }
    }
  })

const sourceOut = (from: Extract<Block, { readonly type: "image" }>["source"]): JsonObject => {
  switch (from.type) {
    case "base64":
    case "text":
      return { type: from.type, media_type: from.mediaType, data: from.data }
    case "url":
      return { type: "url", url: from.url }
    case "file":
      return { type: "file", file_id: from.fileId }
    case "blob":
      return {
        type: from.blob.mediaType.startsWith("text/") ? "text" : "base64",
        media_type: from.blob.mediaType,
        data: from.blob.preview,
        ...elsewhere(from.blob)
      }
  }
}
