import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, Result } from "effect"
import { randomUUID } from "node:crypto"
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type KnownFiles, recall, remember } from "./KnownFiles.ts"
import type { MountedFile, MountEntry, MountTable } from "./MountTable.ts"
import type { Owner } from "./Root.ts"
import { open, type SafeDirectory } from "./SafeDirectory.ts"
import { attempt } from "./Slices.ts"

export interface MaterialiseOptions {
  /** Puts content into a file of ours, and none but that which the hash names. */
  readonly download: (file: MountedFile, into: string) => Effect.Effect<void, { readonly message: string }>
  /** A directory of ours for what is on its way, on the disk of the mounts. */
  readonly incoming: string
  /** A file of ours that remembers what is there, so that content is not read again to know it. */
  readonly memory: string
  readonly owner?: Owner
}

/** A file that could not be had. */
export interface Lacking {
  readonly path: string
  readonly detail: string
}

/** Puts the content of every entry where its mount will find it. Done again, it only completes what is missing. */
export const materialise = Effect.fn("MountTable.materialise")(function* (
  { entries }: Pick<MountTable, "entries">,
  options: MaterialiseOptions
): Effect.fn.Return<ReadonlyArray<Lacking>, FileError> {
  const before = yield* attempt("", () => recall(options.memory))
  const after: Record<string, KnownFiles[string]> = {}
  const lacking: Array<Lacking> = []
  for (const entry of entries) {
    yield* Effect.scoped(materialiseEntry(entry, options, before, after, lacking))
  }
  yield* attempt("", () => remember(options.memory, after))
  return lacking
})

const materialiseEntry = Effect.fnUntraced(function* (
  { source, target }: MountEntry,
  options: MaterialiseOptions,
  before: KnownFiles,
  after: Record<string, KnownFiles[string]>,
  lacking: Array<Lacking>
) {
  if (source._tag === "Directory") return
  const { owner } = options
  const directory = yield* open({ root: source.path, at: target, ...(owner === undefined ? {} : { owner }) })
  yield* removeOthers(directory, source.files)
  for (const file of source.files) {
    const at = `${target}/${file.path}`
    const version = yield* Effect.orElseSucceed(
      Effect.map(directory.stat(file.path), (info) => info.version),
      () => null
    )
    const known = before[at]
    if (version !== null && known?.version === version && known.sha256 === file.sha256) {
      after[at] = known
      continue
    }
    const fetched = yield* Effect.result(fetch(directory, file, options))
    if (Result.isFailure(fetched)) lacking.push({ path: at, detail: fetched.failure.message })
    else after[at] = { version: fetched.success.version, sha256: file.sha256 }
  }
})

const fetch = (directory: SafeDirectory, file: MountedFile, { download, incoming }: MaterialiseOptions) =>
  Effect.acquireUseRelease(
    attempt(file.path, () => {
      mkdirSync(incoming, { recursive: true, mode: 0o700 })
      return join(incoming, randomUUID())
    }),
    (into) => Effect.andThen(download(file, into), directory.adopt(file.path, into)),
    (into) => Effect.sync(() => rmSync(into, { force: true }))
  )

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
