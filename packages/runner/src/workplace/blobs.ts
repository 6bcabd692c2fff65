import { CheckpointError } from "@troupe/domain/runner/Checkpoint"
import { Effect } from "effect"
import type { BlobClient } from "../link/BlobClient.ts"
import type { BlobError } from "../link/BlobError.ts"
import type { BlobDownload, BlobUpload } from "../workingcopy/Blobs.ts"

const unreachable = ({ message }: BlobError) =>
  new CheckpointError({ reason: { _tag: "Unavailable", detail: message } })

const atOnce = 8

/** Where the checkpoints of one session are: behind the node's door, which the session's ticket opens. */
export const blobsOf = (client: BlobClient["Service"], ticket: () => string): BlobUpload & BlobDownload => ({
  missing: (digests) => Effect.mapError(client.missing(ticket(), digests), unreachable),
  // Only what was found to be missing is put.
  put: (blobs) =>
    Effect.forEach(blobs, ({ bytes }) => client.put(ticket(), bytes, true), {
      concurrency: atOnce,
      discard: true
    }).pipe(Effect.mapError(unreachable)),
  get: (digests) =>
    Effect.forEach(
      digests,
      (digest) =>
        client.get(ticket(), digest).pipe(
          Effect.map((bytes): Uint8Array | null => bytes),
          Effect.catchIf(
            (error) => error.reason === "missing",
            () => Effect.succeed(null)
          ),
          Effect.mapError(unreachable)
        ),
      { concurrency: atOnce }
    )
})
