import { FileError, type FileInfo, type FilePage } from "@troupe/domain/runner/Files"
import type { FileChange } from "@troupe/domain/runner/Workplace"
import { Effect, type Scope, type Stream } from "effect"
import * as directories from "./directories.ts"
import { type FileContent, readFile, type ReadOptions } from "./readFile.ts"
import { remove, type RemoveOptions } from "./removeTree.ts"
import { openRoot, type RootOptions } from "./Root.ts"
import { attempt, inSlices } from "./Slices.ts"
import { walk, type WalkOptions, type WalkResult } from "./walk.ts"
import { watch, type WatchOptions } from "./watch.ts"
import { adoptFile, writeFile, type WriteOptions } from "./writeFile.ts"

export interface GlobOptions extends Pick<WalkOptions, "ignore" | "hidden" | "limit" | "entriesMax"> {
  /** Where the pattern begins; the root where absent. */
  readonly path?: string
}

/**
 * Files below a root that a hostile program changes while we work on them. Nothing leads out of the root: no link, no
 * `..`, no directory that is swapped between a look and its use. Nothing but regular files is opened.
 *
 * A path is one inside: relative to the root, or absolute as programs in the sandbox see it. Links are resolved by us
 * while they stay inside, and refused as `Outside` where they lead out.
 */
export interface SafeDirectory {
  readonly stat: (path: string, options?: directories.StatOptions) => Effect.Effect<FileInfo, FileError>
  readonly list: (path: string, options?: directories.ListOptions) => Effect.Effect<FilePage, FileError>
  readonly read: (path: string, options?: ReadOptions) => Effect.Effect<FileContent, FileError>
  /** Replaces the file whole, or changes nothing. */
  readonly write: (path: string, bytes: Uint8Array, options?: WriteOptions) => Effect.Effect<FileInfo, FileError>
  /** Takes a file of ours into the directory, with the directories on the way. It must be on the same disk. */
  readonly adopt: (path: string, source: string) => Effect.Effect<FileInfo, FileError>
  readonly makeDirectory: (
    path: string,
    options?: directories.MakeDirectoryOptions
  ) => Effect.Effect<FileInfo, FileError>
  readonly move: (from: string, to: string, options?: directories.MoveOptions) => Effect.Effect<void, FileError>
  readonly remove: (path: string, options?: RemoveOptions) => Effect.Effect<void, FileError>
  readonly walk: (path: string, options?: WalkOptions) => Effect.Effect<WalkResult, FileError>
  /** Files and links that match, newest first. */
  readonly glob: (pattern: string, options?: GlobOptions) => Effect.Effect<WalkResult, FileError>
  /** What changes below from the moment it is looked at first; never the content. */
  readonly watch: (path: string, options?: WatchOptions) => Stream.Stream<FileChange, FileError>
}

export const open = Effect.fn("SafeDirectory.open")(function* (
  options: RootOptions
): Effect.fn.Return<SafeDirectory, FileError, Scope.Scope> {
  const root = yield* openRoot(options)

  const glob = Effect.fn("SafeDirectory.glob")(function* (pattern: string, options: GlobOptions = {}) {
    const { path, ...rest } = options
    const [from, below] = yield* attempt(pattern, () => beginning(root.at, pattern, path))
    return yield* inSlices(from, () => walk(root, from, { limit: 1_000, ...rest, pattern: below, order: "newest" }))
  })

  return {
    stat: Effect.fn("SafeDirectory.stat")((path, options) =>
      attempt(path, () => directories.stat(root, path, options))
    ),
    list: Effect.fn("SafeDirectory.list")((path, options) =>
      inSlices(path, () => directories.list(root, path, options))
    ),
    read: Effect.fn("SafeDirectory.read")((path, options) => attempt(path, () => readFile(root, path, options))),
    write: Effect.fn("SafeDirectory.write")((path, bytes, options) =>
      attempt(path, () => writeFile(root, path, bytes, options))
    ),
    adopt: Effect.fn("SafeDirectory.adopt")((path, source) => attempt(path, () => adoptFile(root, path, source))),
    makeDirectory: Effect.fn("SafeDirectory.makeDirectory")((path, options) =>
      attempt(path, () => directories.makeDirectory(root, path, options))
    ),
    move: Effect.fn("SafeDirectory.move")((from, to, options) =>
      attempt(from, () => directories.move(root, from, to, options))
    ),
    remove: Effect.fn("SafeDirectory.remove")((path, options) => inSlices(path, () => remove(root, path, options))),
    walk: Effect.fn("SafeDirectory.walk")((path, options) => inSlices(path, () => walk(root, path, options))),
    glob,
    watch: (path, options) => watch(path, (walking) => inSlices(path, () => walk(root, path, walking)), options)
  }
})

/** An absolute pattern begins at the root, whatever directory was named. */
const beginning = (at: string, pattern: string, path = "."): readonly [from: string, below: string] => {
  if (pattern.split("/").includes("..")) {
    throw new FileError({ path: pattern, reason: { _tag: "BadPath", detail: "a pattern has no .." } })
  }
  if (!pattern.startsWith("/")) return [path, pattern]
  const prefix = at.endsWith("/") ? at : `${at}/`
  if (pattern.startsWith(prefix)) return [".", pattern.slice(prefix.length)]
  throw new FileError({ path: pattern, reason: { _tag: "Outside" } })
}
