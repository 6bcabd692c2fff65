import type { Block, BlobRef, Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect } from "effect"

type Source = Extract<Block, { readonly type: "image" | "document" }>["source"]
type Load = (ref: BlobRef) => Effect.Effect<Uint8Array | null>

/** The most of one picture or document that goes into a request. */
const bytesMax = 8 * 1_024 * 1_024

const loaded = Effect.fnUntraced(function* (load: Load, source: Source) {
  if (source.type !== "blob" || source.blob.bytes > bytesMax) return source
  const bytes = yield* load(source.blob)
  if (bytes === null) return source
  const { mediaType } = source.blob
  return { type: "base64", mediaType, data: Buffer.from(bytes).toString("base64") } as const
})

const inBlock = (load: Load) => (block: Block) =>
  block.type === "image" || block.type === "document"
    ? Effect.map(loaded(load, block.source), (source): Block => ({ ...block, source }))
    : Effect.succeed(block)

const hasBlobs = (content: Content): boolean =>
  content.some((block) => (block.type === "image" || block.type === "document") && block.source.type === "blob")

/** The conversation with its pictures and documents in it, as far as they can be had. */
export const withBlobs = (history: ReadonlyArray<HistoryItem>, load: Load): Effect.Effect<ReadonlyArray<HistoryItem>> =>
  Effect.forEach(history, (item) =>
    "content" in item && hasBlobs(item.content)
      ? Effect.map(Effect.forEach(item.content, inBlock(load)), (content): HistoryItem => ({ ...item, content }))
      : Effect.succeed(item)
  )
