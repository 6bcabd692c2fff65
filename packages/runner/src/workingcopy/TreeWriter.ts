import { CheckpointError, type LeftOut, type TreeLine } from "@troupe/domain/runner/Checkpoint"
import type { BlobBatch, Store } from "./BlobBatch.ts"
import { blobOf } from "./Blobs.ts"
import type { Steps } from "./Slices.ts"
import { checkpointOf, formatLine, formatManifest, formatSeen } from "./TreeLines.ts"
import { writeAll } from "./writeFile.ts"

const cutBytesMin = 16_384
const cutBytesMax = 524_288
const indexBytes = 65_536

/** Writes a tree's lines twice: into blobs, and with what the next capture needs into a file of ours. */
export class TreeWriter {
  files = 0
  bytes = 0
  private readonly batch: BlobBatch
  private readonly index: number
  private readonly chunks: Array<string> = []
  private lines = ""
  private seen = ""

  constructor(batch: BlobBatch, index: number) {
    this.batch = batch
    this.index = index
  }

  *add(line: TreeLine, version: string | null = null): Steps<void, Store> {
    if (line._tag === "File") {
      this.files++
      this.bytes += line.size
    }
    const text = formatLine(line)
    this.seen += formatSeen(text, version)
    if (this.seen.length >= indexBytes) this.flushIndex()
    this.lines += `${text}\n`
    if (isCut(text, this.lines.length)) yield* this.cut()
  }

  /** Stores the manifest, after everything that it names. */
  *end(leftOut: ReadonlyArray<LeftOut>, leftOutCount: number): Steps<string, Store> {
    this.flushIndex()
    yield* this.cut()
    yield* this.batch.flush()
    const { bytes, chunks, files } = this
    const manifest = blobOf(formatManifest({ format: "troupe-tree/1", files, bytes, chunks, leftOut, leftOutCount }))
    yield* this.batch.add(manifest)
    yield* this.batch.flush()
    return checkpointOf(manifest.sha256)
  }

  private *cut(): Steps<void, Store> {
    if (this.lines === "") return
    const blob = blobOf(Buffer.from(this.lines))
    this.lines = ""
    this.chunks.push(blob.sha256)
    yield* this.batch.add(blob)
  }

  private flushIndex() {
    writeAll(this.index, Buffer.from(this.seen))
    this.seen = ""
  }
}

/** Cuts after lines that their own content chooses, so that one line more or less moves no other cut. */
const isCut = (line: string, bytes: number): boolean =>
  bytes >= cutBytesMax || (bytes >= cutBytesMin && fingerprint(line) % 128 === 0)

const fingerprint = (text: string): number => {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

export const limitReached = (limit: string, max: number) =>
  new CheckpointError({ reason: { _tag: "TooLarge", limit, max } })
