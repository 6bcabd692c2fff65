import { readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { basename, resolve } from "node:path"
import { whyUnreadable } from "../app/unreadable.ts"
import { mediaTypeOf } from "./mediaType.ts"
import type { Mention } from "./mentions.ts"
import { Unattachable } from "./Unattachable.ts"

export interface Mentioned {
  readonly path: string
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
}

const mib = 1_024 * 1_024
/** Providers take so much of a picture, and of a PDF; text is read whole, and costs by its length. */
const maxOf = (mediaType: string): number =>
  mediaType === "text/plain" ? mib : mediaType === "application/pdf" ? 20 * mib : 5 * mib
const maxOfAny = 20 * mib

export const placeOf = (path: string): string => resolve(path.replace(/^~(?=\/|$)/, homedir()))

const tooLarge = (path: string, bytes: number, max: number) =>
  new Unattachable(
    `${path} has ${(bytes / mib).toFixed(1)} MB, and at most ${max / mib} MB of such a file can be attached.`,
    "Attach a smaller one, or give the agent this directory's files with --cwd."
  )

const sizeOf = ({ isMeant, path }: Mention, place: string): number | null => {
  try {
    const found = statSync(place)
    if (found.isFile()) return found.size
  } catch (cause) {
    if (isMeant) throw new Unattachable(`${path} can't be attached: ${whyUnreadable(cause)}.`)
    return null
  }
  if (isMeant) throw new Unattachable(`${path} can't be attached: it is no file.`, "--cwd gives the agent a directory.")
  return null
}

const contentOf = (path: string, place: string): Buffer => {
  try {
    return readFileSync(place)
  } catch (cause) {
    throw new Unattachable(`${path} can't be attached: ${whyUnreadable(cause)}.`)
  }
}

/** The file that is named; null where the words are only words. What is a file and can't be attached is said so. */
export const readMentioned = (mention: Mention): Mentioned | null => {
  const { path } = mention
  const place = placeOf(path)
  const bytes = sizeOf(mention, place)
  if (bytes === null) return null
  if (bytes > maxOfAny) throw tooLarge(path, bytes, maxOfAny)
  const mediaType = mediaTypeOf(contentOf(path, place))
  if (mediaType === null || bytes === 0) {
    throw new Unattachable(
      bytes === 0
        ? `${path} can't be attached: it is empty.`
        : `${path} can't be attached: it is no picture, PDF or text, and models look at nothing else.`,
      "--cwd gives the agent any files to work with."
    )
  }
  if (bytes > maxOf(mediaType)) throw tooLarge(path, bytes, maxOf(mediaType))
  return { path: place, name: basename(place), mediaType, bytes }
}
