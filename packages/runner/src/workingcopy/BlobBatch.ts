import { batchBlobsMax, batchBytesMax, type Blob } from "./Blobs.ts"
import type { Steps } from "./Slices.ts"

/** Asks whoever runs the steps to store blobs. */
export interface Store {
  readonly _tag: "Store"
  readonly blobs: ReadonlyArray<Blob>
}

/** Gathers blobs until they are worth a request. No more than one batch is ever held. */
export class BlobBatch {
  private blobs = new Map<string, Blob>()
  private bytes = 0;

  *add(blob: Blob): Steps<void, Store> {
    if (this.blobs.has(blob.sha256)) return
    this.blobs.set(blob.sha256, blob)
    this.bytes += blob.bytes.length
    if (this.blobs.size >= batchBlobsMax || this.bytes >= batchBytesMax) yield* this.flush()
  }

  *flush(): Steps<void, Store> {
    if (this.blobs.size === 0) return
    const blobs = [...this.blobs.values()]
    this.blobs = new Map()
    this.bytes = 0
    yield { _tag: "Store", blobs }
  }
}
