import type { MessageContent, Troupe } from "@troupe/client"
import { uploadFile } from "../app/upload.ts"
import { mentionsIn } from "./mentions.ts"
import { type Mentioned, readMentioned } from "./readMentioned.ts"

const sizeText = (bytes: number): string =>
  bytes < 1_024
    ? `${bytes} bytes`
    : bytes < 1_024 * 1_024
      ? `${Math.round(bytes / 1_024)} KB`
      : `${(bytes / 1_024 / 1_024).toFixed(1)} MB`

const kinds: Readonly<Record<string, string>> = { "application/pdf": "a PDF", "text/plain": "text" }

/** What was attached, for whoever said it. */
const attachedLine = ({ bytes, mediaType, name }: Mentioned): string =>
  `+ ${name}, ${kinds[mediaType] ?? "a picture"}, ${sizeText(bytes)}`

const blockOf = (troupe: Troupe) => async (mentioned: Mentioned) => {
  const { mediaType, name, path } = mentioned
  const { id } = await uploadFile(troupe, { path, name, type: mediaType })
  const source = { type: "file" as const, file_id: id }
  return mediaType.startsWith("image/")
    ? { type: "image" as const, source }
    : { type: "document" as const, source, title: name }
}

/**
 * The files that a message names, found and judged before anything is sent of it. Only what a person typed is looked at: what comes
 * through a pipe may be anybody's, and is not to choose files of this host.
 */
export const mentionedIn = (message: string): ReadonlyArray<Mentioned> =>
  mentionsIn(message).flatMap((mention) => readMentioned(mention) ?? [])

/** A message as the session takes it: the files that it names first, then all its words. */
export const withAttachments = async (
  troupe: Troupe,
  message: string,
  files: ReadonlyArray<Mentioned>,
  say: (line: string) => void
): Promise<MessageContent> => {
  if (files.length === 0) return message
  const blocks = await Promise.all(files.map(blockOf(troupe)))
  for (const file of files) say(attachedLine(file))
  return [...blocks, { type: "text", text: message }]
}
