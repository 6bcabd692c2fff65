import { CheckpointError } from "@troupe/domain/runner/Checkpoint"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect } from "effect"
import { hash } from "node:crypto"
import type { BlobDownload } from "./Blobs.ts"
import type { MountedFile, MountEntry, MountTable } from "./MountTable.ts"
import type { Owner } from "./Root.ts"
import { open, type SafeDirectory } from "./SafeDirectory.ts"

export interface MaterialiseOptions {
  readonly download: BlobDownload
  readonly owner?: Owner
}

/** Puts the content of every entry where its mount will find it. Done again, it only completes what is missing. */
export const materialise = Effect.fn("MountTable.materialise")(function* (
  { entries }: Pick<MountTable, "entries">,
  options: MaterialiseOptions
): Effect.fn.Return<void, FileError | CheckpointError> {
  for (const entry of entries) yield* Effect.scoped(materialiseEntry(entry, options))
})

const materialiseEntry = Effect.fnUntraced(function* ({ source, target }: MountEntry, options: MaterialiseOptions) {
  if (source._tag === "Directory") return
  const { download, owner } = options
  const place = { root: source.path, at: target, ...(owner === undefined ? {} : { owner }) }
  const directory = yield* open(place)
  yield* removeOthers(directory, source.files)
  for (const file of source.files) {
    if (!(yield* isThere(directory, file))) yield* fetch(directory, file, download)
  }
})

const isThere = Effect.fnUntraced(function* (directory: SafeDirectory, file: MountedFile) {
  const content = yield* Effect.option(directory.read(file.path, { length: file.bytes + 1, bytesMax: file.bytes + 1 }))
  return content._tag === "Some" && hash("sha256", content.value.bytes, "hex") === file.sha256
})

const fetch = Effect.fnUntraced(function* (directory: SafeDirectory, file: MountedFile, download: BlobDownload) {
  const { path, sha256 } = file
  const [bytes] = yield* download.get([sha256])
  if (bytes === null || bytes === undefined) return yield* new CheckpointError({ reason: { _tag: "Missing", sha256 } })
  if (hash("sha256", bytes, "hex") !== sha256) {
    const detail = "its content has another digest"
    return yield* new CheckpointError({ reason: { _tag: "Corrupt", sha256, detail } })
  }
  yield* directory.write(path, bytes, { parents: true })
})

/** What is not among the files, or is a directory or a link where one should be. */
const removeOthers = Effect.fnUntraced(function* (directory: SafeDirectory, files: ReadonlyArray<MountedFile>) {
  const wanted = new Set(files.map(({ path }) => path))
  const above = new Set(
    files.flatMap(({ path }) => path.split("/").map((_, index, parts) => parts.slice(0, index).join("/")))
  )
  const { entries } = yield* directory.walk(".", { directories: true })
  for (const { kind, path } of entries) {
    const isRight = kind === "directory" ? above.has(path) : kind === "file" && wanted.has(path)
    if (!isRight) yield* Effect.catchIf(directory.remove(path, { recursive: true }), isGone, () => Effect.void)
  }
})

/** With the directory that held it. */
const isGone = ({ reason }: FileError): boolean => reason._tag === "NotFound"
