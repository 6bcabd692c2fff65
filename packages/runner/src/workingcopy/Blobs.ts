import type { CheckpointError } from "@troupe/domain/runner/Checkpoint"
import type { Effect } from "effect"
import { hash } from "node:crypto"

export interface Blob {
  readonly sha256: string
  readonly bytes: Uint8Array
}

/**
 * Where checkpoints are stored. Blobs go in batches, of a few MiB and a few hundred each: a working copy has many small
 * files, and a request for each would take minutes.
 */
export interface BlobUpload {
  /** Those of them that are not stored yet. */
  readonly missing: (digests: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, CheckpointError>
  readonly put: (blobs: ReadonlyArray<Blob>) => Effect.Effect<void, CheckpointError>
}

export interface BlobDownload {
  /** In the order they were asked for; null for one that is not there. Whoever asks compares the digests. */
  readonly get: (digests: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Uint8Array | null>, CheckpointError>
}

export const blobOf = (bytes: Uint8Array): Blob => ({ sha256: hash("sha256", bytes, "hex"), bytes })

/** What is asked for in one go. */
export const batchBytesMax = 8 * 1_048_576
export const batchBlobsMax = 256
