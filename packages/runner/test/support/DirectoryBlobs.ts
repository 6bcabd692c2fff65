import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Blob, BlobDownload, BlobUpload } from "../../src/workingcopy/Blobs.ts"

/** Blobs as files, whole or not there, for processes that are killed. */
export class DirectoryBlobs implements BlobUpload, BlobDownload {
  private readonly path: string
  private readonly heard: () => void

  constructor(path: string, heard: () => void = () => undefined) {
    this.path = path
    this.heard = heard
    mkdirSync(path, { recursive: true })
  }

  missing(digests: ReadonlyArray<string>) {
    return Effect.sync(() => digests.filter((digest) => !existsSync(join(this.path, digest))))
  }

  put(blobs: ReadonlyArray<Blob>) {
    return Effect.sync(() => {
      for (const { bytes, sha256 } of blobs) {
        writeFileSync(join(this.path, `${sha256}.new`), bytes)
        renameSync(join(this.path, `${sha256}.new`), join(this.path, sha256))
      }
      this.heard()
    })
  }

  get(digests: ReadonlyArray<string>) {
    return Effect.sync(() => {
      this.heard()
      return digests.map((digest) =>
        existsSync(join(this.path, digest)) ? new Uint8Array(readFileSync(join(this.path, digest))) : null
      )
    })
  }
}
