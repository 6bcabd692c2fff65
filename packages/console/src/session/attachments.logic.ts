import type { JsonObject } from "@troupe/client"

export interface Attached {
  readonly id: string
  readonly name: string
  readonly mediaType: string
}

const pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"]

/** What models can look at: pictures, PDFs and text. */
export const accepted = [...pictures, "application/pdf", "text/*"].join(",")

export const isTaken = (mediaType: string): boolean =>
  pictures.includes(mediaType) || mediaType === "application/pdf" || mediaType.startsWith("text/")

/** A message: what was attached, then what was said of it. */
export const contentOf = (
  text: string,
  files: ReadonlyArray<Attached>
): ReadonlyArray<JsonObject & { readonly type: string }> => [
  ...files.map(({ id, mediaType, name }) => {
    const source = { type: "file", file_id: id }
    return mediaType.startsWith("image/") ? { type: "image", source } : { type: "document", source, title: name }
  }),
  ...(text === "" ? [] : [{ type: "text", text }])
]

/** Why files are not taken, in a sentence; null where they are. */
export const refusal = (files: ReadonlyArray<{ readonly name: string; readonly type: string }>): string | null => {
  const refused = files.filter(({ type }) => !isTaken(type))
  if (refused.length === 0) return null
  return `${refused.map(({ name }) => name).join(", ")}: only pictures, PDFs and text can be shown to a model.`
}
