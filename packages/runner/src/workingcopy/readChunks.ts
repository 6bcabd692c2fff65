import { chunkBytesMax, type LeftOut, type TreeLine } from "@troupe/domain/runner/Checkpoint"
import type { BigIntStats } from "node:fs"
import { closeSync } from "node:fs"
import type { BlobBatch, Store } from "./BlobBatch.ts"
import { blobOf } from "./Blobs.ts"
import { openEntry, openForReading, statOf } from "./descriptors.ts"
import { type Name, nameToText } from "./Name.ts"
import { isForeignLink, readAt, versionOf } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"

export type FileLine = Extract<TreeLine, { _tag: "File" }>

export interface ReadFile {
  readonly line: FileLine
  /** Null where a later change might not show in it. */
  readonly version: string | null
  readonly isChanging: boolean
}

/** How often a file is read again that changed while it was read. */
const readingsMax = 3

/**
 * A file whose time of change is this close to our look may change again without a difference in its times, whose clock
 * ticks slowly. The next capture reads it again.
 */
const settledNs = 2_000_000_000n

export interface ReadLimits {
  readonly bytesMax: number
  /** The time now, as the file system tells it. */
  readonly now: () => bigint
}

/** Reads a file into blobs. Answers why it must be left out where it is not one that may be read. */
export function* readChunks(
  root: Root,
  directory: number,
  name: Name,
  { bytesMax, now }: ReadLimits,
  batch: BlobBatch
): Steps<ReadFile | LeftOut["why"], Store> {
  const entry = openEntry(directory, name)
  let file: number | null = null
  try {
    const found = statOf(entry)
    if (!found.isFile()) return "changing"
    if (isForeignLink(root, found)) return "denied"
    file = openForReading(entry)
    for (let reading = 1; ; reading++) {
      const before = statOf(file)
      if (before.size > bytesMax) return "tooLarge"
      const chunks = yield* chunksOf(file, Number(before.size), batch)
      const looked = now()
      const after = statOf(file)
      const isChanging = versionOf(before) !== versionOf(after)
      if (isChanging && reading < readingsMax) continue
      const version = !isChanging && after.ctimeNs + settledNs < looked ? versionOf(after) : null
      return { line: lineOf(name, after, chunks), version, isChanging }
    }
  } finally {
    if (file !== null) closeSync(file)
    closeSync(entry)
  }
}

interface Chunks {
  readonly size: number
  readonly digests: ReadonlyArray<string>
}

function* chunksOf(file: number, size: number, batch: BlobBatch): Steps<Chunks, Store> {
  const digests: Array<string> = []
  let at = 0
  while (at < size) {
    const bytes = readAt(file, at, Math.min(chunkBytesMax, size - at))
    if (bytes.length === 0) break
    at += bytes.length
    const blob = blobOf(bytes)
    digests.push(blob.sha256)
    yield* batch.add(blob)
    if (digests.length % 4 === 0) yield
  }
  return { size: at, digests }
}

const lineOf = (name: Name, stats: BigIntStats, { digests, size }: Chunks): FileLine => ({
  _tag: "File",
  name: nameToText(name),
  mode: Number(stats.mode & 0o777n),
  size,
  modifiedMs: Number((stats.mtimeNs + 500_000n) / 1_000_000n),
  chunks: digests
})
