import { Effect, Schema } from "effect"
import { posix } from "node:path"
import type { Mount } from "../sandbox/Sandbox.ts"

export interface MountedFile {
  /** Below the entry's target. */
  readonly path: string
  readonly sha256: string
  readonly bytes: number
}

/** Where an entry's content comes from. Each later kind (repository, memory store, skill, prefix of a bucket) is a tag. */
export type MountSource =
  /** A directory of the host that is there: the working copy, or one that was registered to be used in place. */
  | { readonly _tag: "Directory"; readonly path: string }
  /** Files that are downloaded into a directory of ours before the sandbox starts. What else is there is removed. */
  | { readonly _tag: "Files"; readonly path: string; readonly files: ReadonlyArray<MountedFile> }

export interface MountEntry {
  /** Where programs in the sandbox see it. */
  readonly target: string
  readonly readOnly: boolean
  readonly source: MountSource
  /** `collect`: after each turn, what is new or changed there is stored and reported. */
  readonly sync: "none" | "collect"
}

/** All that a sandbox sees of the host, each at one place. */
export interface MountTable {
  readonly entries: ReadonlyArray<MountEntry>
  readonly mounts: ReadonlyArray<Mount>
  /** The entry that an absolute path of the sandbox is in, if any. */
  readonly entryOf: (path: string) => MountEntry | undefined
}

const MountTrouble = Schema.TaggedUnion({
  BadTarget: { detail: Schema.String },
  /** Another entry is at, above or below this one's target: one would hide the other. */
  Overlaps: { other: Schema.String },
  BadFile: { path: Schema.String, detail: Schema.String }
})

export class MountError extends Schema.TaggedError<MountError>()("MountError", {
  target: Schema.String,
  reason: MountTrouble
}) {
  override get message() {
    const { reason } = this
    return `${this.target}: ${reason._tag}: ${"other" in reason ? reason.other : reason.detail}`
  }
}

const defaultPrefixes: ReadonlyArray<string> = ["/workspace", "/mnt"]
const targetMax = 1_024

export const make = Effect.fn("MountTable.make")(function* (
  entries: ReadonlyArray<MountEntry>,
  prefixes: ReadonlyArray<string> = defaultPrefixes
): Effect.fn.Return<MountTable, MountError> {
  for (const [index, entry] of entries.entries()) {
    const wrong = troubleOf(entry, entries.slice(0, index), prefixes)
    if (wrong !== undefined) return yield* new MountError({ target: entry.target.slice(0, 200), reason: wrong })
  }
  return {
    entries,
    mounts: entries.map(({ readOnly, source, target }) => ({ source: source.path, target, readOnly })),
    entryOf: (path) => entries.find(({ target }) => isWithin(posix.normalize(path), target))
  }
})

const troubleOf = (
  { source, target }: MountEntry,
  before: ReadonlyArray<MountEntry>,
  prefixes: ReadonlyArray<string>
): MountError["reason"] | undefined => {
  const detail = targetDetail(target, prefixes)
  if (detail !== undefined) return { _tag: "BadTarget", detail }
  const other = before.find((entry) => isWithin(target, entry.target) || isWithin(entry.target, target))
  if (other !== undefined) return { _tag: "Overlaps", other: other.target }
  return source._tag === "Files" ? fileTrouble(source.files) : undefined
}

const targetDetail = (target: string, prefixes: ReadonlyArray<string>): string | undefined => {
  if (!posix.isAbsolute(target)) return "it is not absolute"
  if (target.length > targetMax) return `it is longer than ${targetMax}`
  if (target.includes("\0") || !target.isWellFormed()) return "it is no path"
  if (posix.normalize(target) !== target || target.endsWith("/")) return "it is not in its normal form"
  if (!prefixes.some((prefix) => isWithin(target, prefix))) return `it is not below ${prefixes.join(" or ")}`
  return undefined
}

const fileTrouble = (files: ReadonlyArray<MountedFile>): MountError["reason"] | undefined => {
  const taken = new Set<string>()
  for (const { path } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const normal = posix.normalize(path)
    const above = parentsOf(path)
    const bad =
      path === "" || normal !== path || posix.isAbsolute(path) || path.endsWith("/") || /^\.\.?(\/|$)/.test(path)
    if (bad || path.includes("\0")) return { _tag: "BadFile", path, detail: "it is no relative path in normal form" }
    if (taken.has(path)) return { _tag: "BadFile", path, detail: "it is there twice" }
    if (above.some((parent) => taken.has(parent))) return { _tag: "BadFile", path, detail: "it is below a file" }
    taken.add(path)
  }
  return undefined
}

const parentsOf = (path: string): ReadonlyArray<string> =>
  path.split("/").flatMap((_, index, parts) => (index === 0 ? [] : [parts.slice(0, index).join("/")]))

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)
