import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client"
import type { Block, Content } from "@troupe/domain/session/Content"
import { Effect } from "effect"
import { mediaTypeOf } from "../tools/builtin/fileKinds.ts"
import { limits } from "../tools/builtin/limits.ts"
import type { ToolPlace } from "../tools/ToolPlace.ts"

/** Beyond this, the text of an answer is put into a file, and its beginning shown. */
const textLengthMax = 100_000
const shownLength = 20_000
const blocksMax = 200
const mediaMax = 20

type Keeping = Pick<ToolPlace, "spill">
type EmbeddedContents = Extract<ContentBlock, { type: "resource" }>["resource"]

/** What a server answered, as a model may be given it. */
export const resultContent = (place: Keeping, result: CallToolResult): Effect.Effect<Content> => {
  const { content, structuredContent } = result
  const isSaid = content.some(({ type }) => type === "text")
  const structure: ReadonlyArray<ContentBlock> =
    structuredContent === undefined || isSaid
      ? []
      : [{ type: "text", text: JSON.stringify(structuredContent, null, 2) }]
  return mcpContent(place, [...content, ...structure])
}

export const mcpContent = Effect.fnUntraced(function* (place: Keeping, blocks: ReadonlyArray<ContentBlock>) {
  const content = yield* Effect.forEach(blocks.slice(0, blocksMax), (block) => blockOf(place, block))
  if (blocks.length > blocksMax) content.push(note(`${blocks.length - blocksMax} more parts are left out`))
  return yield* bounded(place, withFewMedia(content))
})

const blockOf = (place: Keeping, block: ContentBlock): Effect.Effect<Block> => {
  switch (block.type) {
    case "text":
      return Effect.succeed({ type: "text", text: clean(block.text) })
    case "image":
      return media(place, block.data, block.mimeType, null)
    case "audio":
      return kept(place, Buffer.from(block.data, "base64"), `Audio, ${clean(block.mimeType)}`)
    case "resource_link": {
      const { description, mimeType, name, uri } = block
      const kind = mimeType === undefined ? "" : `, ${mimeType}`
      const about = description === undefined ? "" : `: ${description}`
      return Effect.succeed(note(clean(`Resource ${name} at ${uri}${kind}${about}`)))
    }
    case "resource":
      return embedded(place, block.resource)
  }
}

const embedded = (place: Keeping, resource: EmbeddedContents): Effect.Effect<Block> =>
  "text" in resource
    ? Effect.succeed({ type: "text", text: clean(`[Resource ${resource.uri}]\n${resource.text}`) })
    : media(place, resource.blob, resource.mimeType ?? "application/octet-stream", resource.uri)

/** What models can look at, by its first bytes; anything else is kept for programs. */
const media = (place: Keeping, data: string, claimed: string, uri: string | null): Effect.Effect<Block> => {
  const bytes = Buffer.from(data, "base64")
  const mediaType = mediaTypeOf(bytes)
  const source = { type: "base64", mediaType: mediaType ?? "", data: bytes.toString("base64") } as const
  if (mediaType === "application/pdf" && bytes.length <= limits.read.pdfBytesMax) {
    return Effect.succeed({ type: "document", source, ...(uri === null ? {} : { title: clean(uri) }) })
  }
  if (mediaType?.startsWith("image/") === true && bytes.length <= limits.read.imageBytesMax) {
    return Effect.succeed({ type: "image", source })
  }
  const name = uri === null ? "" : ` of ${clean(uri)}`
  const doubt = mediaType === null && claimed.startsWith("image/") ? ", which is no image that can be shown" : ""
  return kept(place, bytes, `${clean(mediaType ?? claimed)}${name}${doubt}`)
}

const kept = (place: Keeping, bytes: Uint8Array, what: string): Effect.Effect<Block> =>
  Effect.map(keep(place, bytes), (path) => note(`${what}, ${bytes.length} bytes, kept in ${path}`))

const keep = (place: Keeping, bytes: Uint8Array) =>
  Effect.scoped(Effect.flatMap(place.spill("mcp"), (spill) => Effect.as(spill.write(bytes), spill.path)))

const withFewMedia = (content: ReadonlyArray<Block>): ReadonlyArray<Block> => {
  let left = mediaMax
  return content.map((block) =>
    block.type === "text" || left-- > 0 ? block : note(`one more ${block.type}, left out: ${mediaMax} are shown`)
  )
}

/** All text goes into one file where it is too long together. */
const bounded = Effect.fnUntraced(function* (place: Keeping, content: ReadonlyArray<Block>): Effect.fn.Return<Content> {
  const texts = content.flatMap((block) => (block.type === "text" ? [block.text] : []))
  const whole = texts.join("\n")
  if (whole.length <= textLengthMax) return content
  const path = yield* keep(place, Buffer.from(whole))
  const shown = whole.slice(0, shownLength).toWellFormed()
  const notice = `[Shown are ${shownLength} of ${whole.length} characters. All of it is in ${path}.]`
  return [{ type: "text", text: `${shown}\n\n${notice}` }, ...content.filter(({ type }) => type !== "text")]
})

const note = (text: string): Block => ({ type: "text", text: `[${text}]` })

const clean = (text: string): string => text.replaceAll("\0", "\ufffd").toWellFormed()
