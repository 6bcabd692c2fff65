import type { Block, BlobRef, Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect } from "effect"
import { mediaTypeOf } from "../../tools/builtin/fileKinds.ts"

type Media = Extract<Block, { readonly type: "image" | "document" }>
type Source = Media["source"]
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

const words = (text: string): Block => ({ type: "text", text })
const isBase64 = (data: string) => data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)

/**
 * A picture or document as what its bytes are, whatever it is said to be. A provider refuses a request with one that is none,
 * and every request after it, since the conversation keeps it: the model reads of it instead.
 */
const asItIs = (block: Media): Block => {
  const { source } = block
  if (source.type !== "base64") return block
  const { data, mediaType } = source
  const found = isBase64(data) ? mediaTypeOf(Buffer.from(data.slice(0, 64), "base64")) : null
  if (block.type === "image") {
    if (found?.startsWith("image/") === true) return { ...block, source: { ...source, mediaType: found } }
    return words(
      `[An image that is none: it was sent as ${mediaType.slice(0, 100)}, and its bytes are something else.]`
    )
  }
  if (mediaType !== "application/pdf" || found === mediaType) return block
  return words("[A document that is none: it was sent as a PDF, and its bytes are something else.]")
}

const isMedia = (block: Block): block is Media => block.type === "image" || block.type === "document"
const hasMedia = (content: Content): boolean => content.some(isMedia)

export interface Shown {
  readonly history: ReadonlyArray<HistoryItem>
  /** What stands, since the last message of a person, where something could not be shown. */
  readonly left: ReadonlyArray<string>
}

/** The conversation with its pictures and documents in it, as far as they can be had and are any. */
export const shown = Effect.fnUntraced(function* (
  history: ReadonlyArray<HistoryItem>,
  load: Load
): Effect.fn.Return<Shown> {
  const newest = history.findLastIndex(({ type }) => type === "user")
  const left: Array<string> = []
  const items = yield* Effect.forEach(history, (item, index) => {
    if (!("content" in item) || !hasMedia(item.content)) return Effect.succeed(item)
    const content = Effect.forEach(item.content, (block) =>
      isMedia(block)
        ? Effect.map(loaded(load, block.source), (source) => {
            const seen = asItIs({ ...block, source })
            if (seen.type === "text" && index >= newest) left.push(seen.text)
            return seen
          })
        : Effect.succeed(block)
    )
    return Effect.map(content, (blocks): HistoryItem => ({ ...item, content: blocks }))
  })
  return { history: items, left }
})
