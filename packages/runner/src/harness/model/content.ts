import type { Block, BlobRef } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect } from "effect"
import { mediaTypeOf } from "../../tools/builtin/fileKinds.ts"

type Media = Extract<Block, { readonly type: "image" | "document" }>
type Source = Media["source"]
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

const loaded = Effect.fnUntraced(function* (load: Load, block: Media) {
  const ref = refOf(block.source)
  const bytes = yield* had(load, ref)
  if (ref === null || bytes === null) return block
  const { mediaType } = ref
  const source: Source =
    block.type === "document" && isText(mediaType)
      ? { type: "text", mediaType: "text/plain", data: Buffer.from(bytes).toString() }
      : { type: "base64", mediaType, data: Buffer.from(bytes).toString("base64") }
  return { ...block, source }
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
  if (block.type === "document" && isText(mediaType)) {
    return { ...block, source: { type: "text", mediaType: "text/plain", data: Buffer.from(data, "base64").toString() } }
  }
  const found = isBase64(data) ? mediaTypeOf(Buffer.from(data.slice(0, 64), "base64")) : null
  if (block.type === "image") {
    if (found?.startsWith("image/") === true) return { ...block, source: { ...source, mediaType: found } }
    return words(
      `[An image that is none: it was sent as ${mediaType.slice(0, 100)}, and its bytes are something else.]`
    )
  }
  if (found === "application/pdf") return { ...block, source: { ...source, mediaType: found } }
  return words(
    mediaType === "application/pdf"
      ? "[A document that is none: it was sent as a PDF, and its bytes are something else.]"
      : `[A document that models can't read: it was sent as ${mediaType.slice(0, 100)}. They read text and PDF.]`
  )
}

const isMedia = (block: Block): block is Media => block.type === "image" || block.type === "document"
const hasMedia = (item: HistoryItem): boolean => "content" in item && item.content.some(isMedia)

/** The conversation in words alone, or null where it is that already: a provider may refuse a picture that looks like one. */
export const withoutMedia = (history: ReadonlyArray<HistoryItem>): ReadonlyArray<HistoryItem> | null =>
  history.some(hasMedia)
    ? history.map((item): HistoryItem => {
        if (!("content" in item)) return item
        const content = item.content.map((block) =>
          isMedia(block)
            ? words(`[${block.type === "image" ? "An image" : "A document"} that the provider refuses]`)
            : block
        )
        return { ...item, content }
      })
    : null

/** What is looked at before a model is told of it. */
const isLookedAt = (block: Block): boolean => isMedia(block) || block.type === "blob"

/** What a tool said at length is told by its beginning; what a person said is told whole. */
const whole = (load: Load, block: Block, isSaid: boolean): Effect.Effect<Block> =>
  block.type !== "blob" || !isSaid || !isText(block.blob.mediaType)
    ? Effect.succeed(block)
    : Effect.map(had(load, block.blob), (bytes) => (bytes === null ? block : words(Buffer.from(bytes).toString())))

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
    if (!("content" in item) || !item.content.some(isLookedAt)) return Effect.succeed(item)
    const content = Effect.forEach(item.content, (block) =>
      isMedia(block)
        ? Effect.map(loaded(load, block), (had) => {
            const seen = asItIs(had)
            if (seen.type === "text" && index >= newest) left.push(seen.text)
            return seen
          })
        : whole(load, block, item.type === "user")
    )
    return Effect.map(content, (blocks): HistoryItem => ({ ...item, content: blocks }))
  })
  return { history: items, left }
})
