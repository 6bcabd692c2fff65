import { CheckpointError } from "@troupe/domain/runner/Checkpoint"
import { Clock, Effect } from "effect"
import type { BlobClient } from "../link/BlobClient.ts"
import type { BlobError } from "../link/BlobError.ts"
import type { Blob, BlobDownload, BlobUpload } from "../workingcopy/Blobs.ts"

const unreachable = ({ message }: BlobError) =>
  new CheckpointError({ reason: { _tag: "Unavailable", detail: message } })

const atOnce = 8
/** Nodes keep what nothing names for a day after somebody asked for it. */
const storedForMs = 30 * 60_000
const storedMax = 2_000

/** What was found to be stored, or was stored, a while ago at most: it need not be asked for at the end of each turn. */
class Stored {
  private readonly at = new Map<string, number>()

  has(digest: string, now: number): boolean {
    const at = this.at.get(digest)
    return at !== undefined && now - at < storedForMs
  }

  note(digests: ReadonlyArray<string>, now: number): void {
    for (const digest of digests) {
      this.at.delete(digest)
      this.at.set(digest, now)
    }
    for (const oldest of this.at.keys()) {
      if (this.at.size <= storedMax) return
      this.at.delete(oldest)
    }
  }
}

/** Where the checkpoints of one session are: behind the node's door, which the session's ticket opens. */
export const blobsOf = (client: BlobClient["Service"], ticket: () => string): BlobUpload & BlobDownload => {
  const stored = new Stored()
  return {
    missing: Effect.fnUntraced(function* (digests) {
      const now = yield* Clock.currentTimeMillis
      const asked = digests.filter((digest) => !stored.has(digest, now))
      if (asked.length === 0) return []
      const missing = yield* Effect.mapError(client.missing(ticket(), asked), unreachable)
      const absent = new Set(missing)
      const found = asked.filter((digest) => !absent.has(digest))
      stored.note(found, now)
      return missing
    }),
    // Only what was found to be missing is put.
    put: Effect.fnUntraced(function* (blobs) {
      const now = yield* Clock.currentTimeMillis
      const put = ({ bytes }: Blob) => client.put(ticket(), bytes, true)
      yield* Effect.mapError(Effect.forEach(blobs, put, { concurrency: atOnce, discard: true }), unreachable)
      const names = blobs.map(({ sha256 }) => sha256)
      stored.note(names, now)
    }),
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
  }
}
