import type { Block, BlobRef } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect } from "effect"

type Source = Extract<Block, { readonly type: "image" | "document" }>["source"]
type Load = (ref: BlobRef) => Effect.Effect<Uint8Array | null>

/** The most of one picture, document or text that goes into a request: providers take about 32 MB in all. */
const bytesMax = 20 * 1_024 * 1_024

const isText = (mediaType: string): boolean => /^text\/|^application\/(json|x-ndjson|xml|yaml|x-yaml)\b/.test(mediaType)

/** Where the content is that a source does not carry itself. */
const refOf = (source: Source): BlobRef | null =>
  source.type === "blob"
    ? source.blob
    : source.type === "file" && source.content !== undefined
      ? { ...source.content, preview: "" }
      : null

const had = (load: Load, ref: BlobRef | null) =>
  ref === null || ref.bytes > bytesMax ? Effect.succeed(null) : load(ref)

const loaded = Effect.fnUntraced(function* (load: Load, block: Extract<Block, { readonly source: Source }>) {
  const ref = refOf(block.source)
  const bytes = yield* had(load, ref)
  if (ref === null || bytes === null) return block
  const { mediaType } = ref
  const source: Source =
    block.type === "document" && isText(mediaType)
      ? { type: "text", mediaType: "text/plain", data: Buffer.from(bytes).toString() }
      : { type: "base64", mediaType, data: Buffer.from(bytes).toString("base64") }
  return { ...block, source } as Block
})

const inBlock =
  (load: Load, isSaid: boolean) =>
  (block: Block): Effect.Effect<Block> => {
    if (block.type === "image" || block.type === "document") return loaded(load, block)
    // What a tool said at length is told by its beginning; what a person said is told whole.
    if (block.type !== "blob" || !isSaid || !isText(block.blob.mediaType)) return Effect.succeed(block)
    return Effect.map(had(load, block.blob), (bytes) =>
      bytes === null ? block : { type: "text", text: Buffer.from(bytes).toString() }
    )
  }

const isElsewhere = (block: Block): boolean =>
  block.type === "blob" || ((block.type === "image" || block.type === "document") && refOf(block.source) !== null)

/** The conversation with its pictures and documents in it, as far as they can be had. */
export const withBlobs = (history: ReadonlyArray<HistoryItem>, load: Load): Effect.Effect<ReadonlyArray<HistoryItem>> =>
  Effect.forEach(history, (item) =>
    "content" in item && item.content.some(isElsewhere)
      ? Effect.map(Effect.forEach(item.content, inBlock(load, item.type === "user")), (content): HistoryItem => ({
          ...item,
          content
        }))
      : Effect.succeed(item)
  )
