import type { WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { hash } from "node:crypto"
import type { StoreUnavailable } from "./EventStore.ts"

export interface Blob {
  readonly bytes: Uint8Array
  readonly mediaType: string
}

export const blobBytesMax = 64 * 1_048_576

export class BlobTooLarge extends Schema.TaggedError<BlobTooLarge>()("BlobTooLarge", {
  bytes: Schema.Int,
  bytesMax: Schema.Int
}) {
  override get message() {
    return `A blob of ${this.bytes} bytes is larger than ${this.bytesMax}`
  }
}

/** What is stored under this name is not what was put there. */
export class BlobCorrupt extends Schema.TaggedError<BlobCorrupt>()("BlobCorrupt", {
  sha256: Schema.String,
  actual: Schema.String
}) {
  override get message() {
    return `Blob ${this.sha256} holds something else: ${this.actual}`
  }
}

/**
 * Large content, named by its SHA-256, so that an event which names it proves it. A blob belongs to a workspace: the
 * same bytes are stored once in each, and nobody learns what others have.
 */
export class BlobStore extends Context.Service<
  BlobStore,
  {
    /** Answers the name once the bytes are committed. Putting the same again changes nothing, its media type included. */
    readonly put: (
      workspaceId: WorkspaceId,
      bytes: Uint8Array,
      mediaType: string
    ) => Effect.Effect<string, BlobTooLarge | StoreUnavailable>
    readonly get: (
      workspaceId: WorkspaceId,
      sha256: string
    ) => Effect.Effect<Option.Option<Blob>, BlobCorrupt | StoreUnavailable>
    /** Those of these names that nothing is stored under, each once, in their order. */
    readonly missing: (
      workspaceId: WorkspaceId,
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, StoreUnavailable>
  }
>()("server/BlobStore") {
  static readonly layerMemory = Layer.sync(BlobStore, () => {
    const blobs = new Map<string, Blob>()
    return BlobStore.of({
      put: (workspaceId, bytes, mediaType) =>
        Effect.map(nameOf(bytes), (sha256) => {
          const key = `${workspaceId}/${sha256}`
          if (!blobs.has(key)) blobs.set(key, { bytes: bytes.slice(), mediaType })
          return sha256
        }),
      get: (workspaceId, sha256) => {
        const found = blobs.get(`${workspaceId}/${sha256}`)
        return found === undefined ? Effect.succeedNone : Effect.asSome(verified(found, sha256))
      },
      missing: (workspaceId, names) =>
        Effect.sync(() => [...new Set(names)].filter((name) => !blobs.has(`${workspaceId}/${name}`)))
    })
  })
}

export const nameOf = (bytes: Uint8Array): Effect.Effect<string, BlobTooLarge> =>
  bytes.length > blobBytesMax
    ? Effect.fail(new BlobTooLarge({ bytes: bytes.length, bytesMax: blobBytesMax }))
    : Effect.sync(() => hash("sha256", bytes, "hex"))

export const verified = (blob: Blob, sha256: string): Effect.Effect<Blob, BlobCorrupt> =>
  Effect.suspend(() => {
    const actual = hash("sha256", blob.bytes, "hex")
    return actual === sha256 ? Effect.succeed(blob) : Effect.fail(new BlobCorrupt({ sha256, actual }))
  })
