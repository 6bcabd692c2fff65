import type { FileInfo } from "@troupe/domain/runner/Files"
import { hash } from "node:crypto"
import { type BigIntStats, readSync } from "node:fs"
import { kindOf, openForReading, readLink, statOf, withDescriptor } from "./descriptors.ts"
import { refuse } from "./failures.ts"
import { type Found, type Place, withPlace } from "./locate.ts"
import { type Name, nameOf, nameToText } from "./Name.ts"
import type { Root } from "./Root.ts"

export interface ReadOptions {
  readonly offset?: number
  /** To the end where absent, which must then be within `bytesMax`. */
  readonly length?: number
  readonly bytesMax?: number
}

export interface FileContent {
  readonly bytes: Uint8Array
  readonly info: FileInfo
}

const readBytesMax = 16 * 1_048_576

export const readFile = (root: Root, path: string, options: ReadOptions = {}): FileContent =>
  withPlace(root, path, { follow: true }, (place) =>
    withFile(root, path, existing(place), (file) => {
      const { bytesMax = readBytesMax, offset = 0 } = options
      const stats = statOf(file)
      const rest = Math.max(0, Number(stats.size) - offset)
      const wanted = Math.min(options.length ?? rest, rest)
      if (wanted > bytesMax) refuse(path, { _tag: "TooLarge", bytes: wanted, bytesMax })
      return { bytes: readAt(file, offset, wanted), info: infoOf(path, stats) }
    })
  )

export const existing = ({ found, path }: Place): Found => found ?? refuse(path, { _tag: "NotFound" })

/** Opens what was found, if it is a regular file that we may serve. */
export const withFile = <A>(root: Root, path: string, { descriptor, stats }: Found, use: (file: number) => A): A => {
  const kind = kindOf(stats)
  if (kind !== "file") refuse(path, { _tag: "NotAFile", found: kind })
  if (isForeignLink(root, stats)) refuse(path, { _tag: "Denied", detail: "a hard link to another user's file" })
  return withDescriptor(openForReading(descriptor), use)
}

/** A name that an agent gave to a file of somebody else, which we may be able to read where the agent is not. */
export const isForeignLink = (root: Root, stats: BigIntStats): boolean =>
  stats.nlink > 1n && Number(stats.uid) !== (root.owner?.uid ?? process.geteuid?.())

/** Fewer bytes where the file ends before. */
export const readAt = (file: number, offset: number, length: number): Uint8Array => {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, offset + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

export const infoOf = (path: string, stats: BigIntStats, target?: string): FileInfo => ({
  path,
  kind: kindOf(stats),
  size: Number(stats.size),
  mode: Number(stats.mode & 0o777n),
  modifiedMs: Number(stats.mtimeNs / 1_000_000n),
  version: versionOf(stats),
  ...(target === undefined ? {} : { target })
})

/** The time of change is among it: a program can set the other time as it likes, this one it can't. */
export const versionOf = ({ ctimeNs, ino, mtimeNs, size }: BigIntStats): string =>
  [ino, size, mtimeNs, ctimeNs].map((number) => number.toString(36)).join("-")

export const entryInfo = (path: string, directory: number, name: Name, stats: BigIntStats): FileInfo =>
  infoOf(path, stats, stats.isSymbolicLink() ? nameToText(nameOf(readLink(directory, name))) : undefined)

const hashedBytesMax = 256 * 1_048_576

/** The digest of a file that is being compared with what a caller expects. */
export const digestOf = (root: Root, path: string, found: Found): string =>
  withFile(root, path, found, (file) => {
    const size = Number(statOf(file).size)
    if (size > hashedBytesMax) refuse(path, { _tag: "TooLarge", bytes: size, bytesMax: hashedBytesMax })
    return hash("sha256", readAt(file, 0, size), "hex")
  })
