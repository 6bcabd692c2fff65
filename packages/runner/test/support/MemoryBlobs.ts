import { Effect } from "effect"
import { hash } from "node:crypto"
import type { Blob, BlobDownload, BlobUpload } from "../../src/workingcopy/Blobs.ts"

/** A store of blobs that holds what it is given to its promises, and remembers what it was asked. */
export class MemoryBlobs implements BlobUpload, BlobDownload {
  readonly stored = new Map<string, Uint8Array>()
  puts = 0
  /** Digests in the order of their arrival. */
  readonly order: Array<string> = []
  largestBatch = 0

  missing(digests: ReadonlyArray<string>) {
    return Effect.sync(() => digests.filter((digest) => !this.stored.has(digest)))
  }

  put(blobs: ReadonlyArray<Blob>) {
    return Effect.sync(() => {
      let bytes = 0
      for (const blob of blobs) {
        if (hash("sha256", blob.bytes, "hex") !== blob.sha256) throw new Error("a blob that is not what it is called")
        if (this.stored.has(blob.sha256)) throw new Error("a blob that was stored before")
        this.stored.set(blob.sha256, blob.bytes.slice())
        this.order.push(blob.sha256)
        bytes += blob.bytes.length
        this.puts++
      }
      this.largestBatch = Math.max(this.largestBatch, bytes)
    })
  }

  get(digests: ReadonlyArray<string>) {
    return Effect.sync(() => digests.map((digest) => this.stored.get(digest) ?? null))
  }
}
