import { utf8Length } from "@troupe/domain/CanonicalJson"
import type { JsonObject } from "@troupe/domain/Json"
import { Limits } from "@troupe/domain/Limits"
import type { Block, Content } from "@troupe/domain/session/Content"
import { Effect } from "effect"
import type { ToolPlace } from "./ToolPlace.ts"

const previewLength = 1_000

/** Content as an event may carry it: a block that is too large becomes a blob, and says enough to be recognised. */
export const fitting = (place: Pick<ToolPlace, "putBlob">, content: Content) =>
  Effect.forEach(content, (block) => fit(place, block))

const fit = Effect.fnUntraced(function* (place: Pick<ToolPlace, "putBlob">, block: Block): Effect.fn.Return<Block> {
  switch (block.type) {
    case "text": {
      if (utf8Length(block.text) <= Limits.blockBytesMax) return block
      return yield* place.putBlob(Buffer.from(block.text), "text/plain; charset=utf-8").pipe(
        Effect.map((blob): Block => ({ type: "blob", blob: { ...blob, preview: block.text.slice(0, previewLength) } })),
        Effect.catchTag("BlobUnavailable", ({ detail }) =>
          Effect.succeed<Block>({
            type: "text",
            text: `${block.text.slice(0, Limits.blockBytesMax / 4)}\n[The rest could not be stored: ${detail}]`
          })
        )
      )
    }
    case "image":
    case "document": {
      const { source } = block
      if (source.type !== "base64" || source.data.length <= Limits.blockBytesMax) return block
      return yield* place.putBlob(Buffer.from(source.data, "base64"), source.mediaType).pipe(
        Effect.map((blob): Block => ({ ...block, source: { type: "blob", blob } })),
        Effect.catchTag("BlobUnavailable", ({ detail }) =>
          Effect.succeed<Block>({ type: "text", text: `[A ${source.mediaType} that could not be stored: ${detail}]` })
        )
      )
    }
    case "search_result": {
      const size = utf8Length(JSON.stringify(block.result))
      return size <= Limits.blockBytesMax ? block : yield* fit(place, { type: "text", text: flat(block.result) })
    }
    default:
      return block
  }
})

const flat = (result: JsonObject): string => JSON.stringify(result, null, 2)

/** How many bytes a model is given. */
export const contentBytes = (content: Content): number =>
  content.reduce((sum, block) => sum + utf8Length(block.type === "text" ? block.text : JSON.stringify(block)), 0)
