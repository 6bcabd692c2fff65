import { type CheckpointError, Sha256Hex } from "@troupe/domain/runner/Checkpoint"
import type { FileError, FileInfo } from "@troupe/domain/runner/Files"
import { Clock, Effect, Option, Schema } from "effect"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { type BlobUpload, blobOf } from "./Blobs.ts"
import type { RootOptions } from "./Root.ts"
import { open } from "./SafeDirectory.ts"
import { attempt } from "./Slices.ts"

export interface CollectedFile {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface Collection {
  /** New or changed since the last collection that was kept, with their content stored. */
  readonly files: ReadonlyArray<CollectedFile>
  /** Files that are too large, or could not be read. They are tried again next time. */
  readonly leftOut: ReadonlyArray<string>
  /** Remembers what was collected. Until then the next collection finds it again, so nothing is lost in between. */
  readonly keep: Effect.Effect<void, FileError>
}

export interface CollectOptions {
  readonly root: RootOptions
  /** A file of ours that remembers what was collected. */
  readonly memory: string
  readonly upload: BlobUpload
  readonly fileBytesMax?: number
  readonly filesMax?: number
}

const defaults = { fileBytesMax: 64 * 1_048_576, filesMax: 10_000 }

const Known = Schema.fromJsonString(
  Schema.Record(Schema.String, Schema.Struct({ version: Schema.String, sha256: Sha256Hex }))
)
type Known = typeof Known.Type

/** Finds the files that a turn left in a directory, such as the outputs, and stores their content. */
export const collect = Effect.fn("MountTable.collect")(function* (
  options: CollectOptions
): Effect.fn.Return<Collection, FileError | CheckpointError> {
  return yield* Effect.scoped(collectFrom({ ...defaults, ...options }))
})

const collectFrom = Effect.fnUntraced(function* (options: CollectOptions & typeof defaults) {
  const directory = yield* open(options.root)
  const known = yield* attempt("", () => recall(options.memory))
  const { entries } = yield* directory.walk(".", { limit: options.filesMax })
  const next: Record<string, { readonly version: string; readonly sha256: string }> = {}
  const files: Array<CollectedFile> = []
  const leftOut: Array<string> = []
  for (const entry of entries.filter(({ kind }) => kind === "file")) {
    const before = known[entry.path]
    if (before?.version === entry.version) {
      next[entry.path] = before
      continue
    }
    const read = yield* Effect.option(directory.read(entry.path, { bytesMax: options.fileBytesMax }))
    if (Option.isNone(read)) {
      leftOut.push(entry.path)
      continue
    }
    const blob = blobOf(read.value.bytes)
    next[entry.path] = { version: yield* settledVersion(read.value.info), sha256: blob.sha256 }
    if (blob.sha256 === before?.sha256) continue
    if ((yield* options.upload.missing([blob.sha256])).length > 0) yield* options.upload.put([blob])
    const { modifiedMs, path } = read.value.info
    files.push({ path, sha256: blob.sha256, bytes: blob.bytes.length, modifiedMs })
  }
  return { files, leftOut, keep: attempt("", () => remember(options.memory, next)) }
})

const settledMs = 2_000

/** A file that has just been written may change again without a difference in its times; its content is looked at again. */
const settledVersion = ({ modifiedMs, version }: FileInfo) =>
  Effect.map(Clock.currentTimeMillis, (now) => (modifiedMs + settledMs < now ? version : ""))

const recall = (memory: string): Known =>
  existsSync(memory)
    ? Option.getOrElse(Schema.decodeUnknownOption(Known)(readFileSync(memory, "utf8")), () => ({}))
    : {}

const remember = (memory: string, known: Known): void => {
  mkdirSync(dirname(memory), { recursive: true, mode: 0o700 })
  writeFileSync(`${memory}.new`, Schema.encodeSync(Known)(known), { mode: 0o600 })
  renameSync(`${memory}.new`, memory)
}
