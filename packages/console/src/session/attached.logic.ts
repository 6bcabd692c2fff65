import type { Block, Content } from "@troupe/domain/session/Content"

type Source = Extract<Block, { readonly source: unknown }>["source"]

const drawable = /^image\/(png|jpeg|gif|webp)$/
const fileAt = (id: string): string => `/v1/files/${id}/content`

const kindOf = (source: Source): string => {
  switch (source.type) {
    case "file":
      return source.content?.mediaType ?? ""
    case "blob":
      return source.blob.mediaType
    case "url":
      return ""
    default:
      return source.mediaType
  }
}

/** From where a browser draws it: out of the message, or as a file of the workspace. Nobody else is ever asked. */
const addressOf = (block: Block): string | null => {
  if (block.type !== "image" || !drawable.test(kindOf(block.source))) return null
  const { source } = block
  if (source.type === "base64") return `data:${source.mediaType};base64,${source.data}`
  return source.type === "file" ? fileAt(source.fileId) : null
}

/** Pictures that came with it, as addresses. */
export const picturesOf = (content: Content): ReadonlyArray<string> =>
  content.map(addressOf).filter((one) => one !== null)

/** What came with it and is not drawn: its name, what it is, and where it can be had. */
export interface Attachment {
  readonly name: string
  readonly kind: string | null
  readonly href: string | null
}

const kindNames: Readonly<Record<string, string>> = { "application/pdf": "PDF", "text/markdown": "Markdown" }

const shortKind = (mediaType: string): string | null => {
  const [plain = ""] = mediaType.split(";")
  return plain === "" ? null : (kindNames[plain] ?? plain.slice(plain.indexOf("/") + 1))
}

export const attachedTo = (content: Content): ReadonlyArray<Attachment> =>
  content.flatMap((block) => {
    if (block.type !== "document" && block.type !== "image") return []
    if (addressOf(block) !== null) return []
    const { source } = block
    const name = block.type === "image" ? "A picture" : (block.title ?? "A document")
    return [{ name, kind: shortKind(kindOf(source)), href: source.type === "file" ? fileAt(source.fileId) : null }]
  })
