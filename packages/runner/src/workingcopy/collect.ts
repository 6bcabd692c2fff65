import { FileError, type FileInfo } from "@troupe/domain/runner/Files"
import { Clock, Effect, Result, Stream } from "effect"
import { createHash } from "node:crypto"
import { type KnownFiles, recall, remember } from "./KnownFiles.ts"
import type { RootOptions } from "./Root.ts"
import { open, type SafeDirectory } from "./SafeDirectory.ts"
import { attempt } from "./Slices.ts"

export interface CollectedFile {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface Collection<A> {
  /** New or changed since the last collection that was kept, with what became of each. */
  readonly files: ReadonlyArray<CollectedFile & { readonly stored: A }>
  /** Files that are too large or too many, or could not be read or stored. They are tried again next time. */
  readonly leftOut: ReadonlyArray<{ readonly path: string; readonly detail: string }>
  /** Remembers what was collected. Until then the next collection finds it again, so nothing is lost in between. */
  readonly keep: Effect.Effect<void, FileError>
}

export interface CollectOptions<A> {
  readonly root: RootOptions
  /** A file of ours that remembers what was collected. */
  readonly memory: string
  readonly store: (
    file: CollectedFile,
    content: Stream.Stream<Uint8Array, FileError>
  ) => Effect.Effect<A, { readonly message: string }>
  readonly fileBytesMax?: number
  /** Of all files that are new or changed: what is more waits for the next collection. */
  readonly bytesMax?: number
  readonly filesMax?: number
}

const defaults = { fileBytesMax: 500 * 1_048_576, bytesMax: 2_048 * 1_048_576, filesMax: 1_000 }
const pieceBytes = 256 * 1_024

/** Finds the files that a turn left in a directory, such as the outputs, and has their content stored. */
export const collect = Effect.fn("MountTable.collect")(function* <A>(
  options: CollectOptions<A>
): Effect.fn.Return<Collection<A>, FileError> {
  return yield* Effect.scoped(collectFrom({ ...defaults, ...options }))
})

const collectFrom = Effect.fnUntraced(function* <A>(options: CollectOptions<A> & typeof defaults) {
  const { bytesMax, fileBytesMax, filesMax, memory, store } = options
  const directory = yield* open(options.root)
  const known = yield* attempt("", () => recall(memory))
  const { entries, isComplete } = yield* directory.walk(".", { limit: filesMax })
  const next: Record<string, KnownFiles[string]> = {}
  const files: Array<CollectedFile & { readonly stored: A }> = []
  const leftOut: Array<Collection<A>["leftOut"][number]> = []
  let bytes = 0
  if (!isComplete) leftOut.push({ path: ".", detail: `there is more than ${filesMax} files, or it can't all be read` })
  for (const entry of entries.filter(({ kind }) => kind === "file")) {
    const { path } = entry
    const before = known[path]
    if (before?.version === entry.version) {
      next[path] = before
      continue
    }
    if (entry.size > fileBytesMax) {
      leftOut.push({ path, detail: `it has more than ${fileBytesMax} bytes` })
      continue
    }
    if (bytes + entry.size > bytesMax) {
      leftOut.push({ path, detail: `with the others of this time it is more than ${bytesMax} bytes` })
      continue
    }
    bytes += entry.size
    const taken = yield* Effect.result(
      Effect.gen(function* () {
        const sha256 = yield* digestOf(directory, entry)
        if (sha256 === before?.sha256) return { sha256, stored: null }
        const file = { path, sha256, bytes: entry.size, modifiedMs: entry.modifiedMs }
        return { sha256, stored: { ...file, stored: yield* store(file, contentOf(directory, entry)) } }
      })
    )
    if (Result.isFailure(taken)) {
      leftOut.push({ path, detail: taken.failure.message })
      continue
    }
    const { sha256, stored } = taken.success
    next[path] = { version: yield* settledVersion(entry), sha256 }
    if (stored !== null) files.push(stored)
  }
  const isNews = JSON.stringify(next) !== JSON.stringify(known)
  return { files, leftOut, keep: isNews ? attempt("", () => remember(memory, next)) : Effect.void }
})

/** A file in pieces, for as long as it stays the one that was met. */
const contentOf = (directory: SafeDirectory, { path, size, version }: FileInfo): Stream.Stream<Uint8Array, FileError> =>
  Stream.unfold(
    0,
    Effect.fnUntraced(function* (offset: number) {
      if (offset >= size) return undefined
      const length = Math.min(pieceBytes, size - offset)
      const { bytes, info } = yield* directory.read(path, { offset, length })
      if (info.version !== version || bytes.length !== length) {
        return yield* new FileError({ path, reason: { _tag: "Stale", detail: "it changed while it was read" } })
      }
      return [bytes, offset + length] as const
    })
  )

const digestOf = (directory: SafeDirectory, file: FileInfo) =>
  Effect.suspend(() => {
    const digest = createHash("sha256")
    return Stream.runForEach(contentOf(directory, file), (piece) => Effect.sync(() => digest.update(piece))).pipe(
      Effect.map(() => digest.digest("hex"))
    )
  })

const settledMs = 2_000

/** A file that has just been written may change again without a difference in its times; its content is looked at again. */
const settledVersion = ({ modifiedMs, version }: FileInfo) =>
  Effect.map(Clock.currentTimeMillis, (now) => (modifiedMs + settledMs < now ? version : ""))
