import type { FileInfo, FilePage } from "@troupe/domain/runner/Files"
import { type BigIntStats, renameSync } from "node:fs"
import { entriesOf, entryPath, kindOf, openEntry, readLink, statEntry, statOf, withDescriptor } from "./descriptors.ts"
import { asFileError, refuse } from "./failures.ts"
import { withPlace, withPlaceInSteps } from "./locate.ts"
import { type Name, nameFromText, nameOf, nameToText } from "./Name.ts"
import { entryInfo, existing, infoOf } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { makeEntry, named, parents } from "./writeFile.ts"

export interface ListOptions {
  /** The `next` of the page before. */
  readonly after?: string
  readonly limit?: number
}

const pageMax = 1_000

/** One page. A directory of any size is read with the memory of a few pages. */
export const list = (root: Root, path: string, options: ListOptions = {}): Steps<FilePage> =>
  withPlaceInSteps(root, path, { follow: true }, function* (place) {
    const found = existing(place)
    if (kindOf(found.stats) !== "directory") refuse(path, { _tag: "NotADirectory" })
    const limit = Math.max(1, Math.min(options.limit ?? pageMax, pageMax))
    const names = yield* smallest(found.descriptor, options.after, limit + 1)
    const entries = names.slice(0, limit).flatMap((name) => describe(found.descriptor, path, name))
    const last = names[limit - 1]
    return { entries, next: names.length > limit && last !== undefined ? nameToText(last) : null }
  })

function* smallest(directory: number, after: string | undefined, count: number): Steps<ReadonlyArray<Name>> {
  const beyond = after === undefined ? nameOf("") : nameFromText(after.toWellFormed())
  let names: Array<Name> = []
  let seen = 0
  for (const [name] of entriesOf(directory)) {
    if (++seen % 256 === 0) yield
    if (name <= beyond) continue
    names.push(name)
    if (names.length >= count * 4) names = names.toSorted(byBytes).slice(0, count)
  }
  return names.toSorted(byBytes).slice(0, count)
}

const byBytes = (a: Name, b: Name): number => (a < b ? -1 : a === b ? 0 : 1)

/** What went away between reading the directory and looking is left out. */
const describe = (directory: number, path: string, name: Name): ReadonlyArray<FileInfo> => {
  try {
    return [entryInfo(join(path, nameToText(name)), directory, name, statEntry(directory, name))]
  } catch (cause) {
    const error = asFileError(path, cause)
    if (error.reason._tag === "NotFound" || error.reason._tag === "BadPath") return []
    throw error
  }
}

export const join = (path: string, below: string): string =>
  path === "." ? below : path.endsWith("/") ? path + below : `${path}/${below}`

export interface StatOptions {
  /** Whether a link at the end is followed. */
  readonly follow?: boolean
}

export const stat = (root: Root, path: string, { follow = true }: StatOptions = {}): FileInfo =>
  withPlace(root, path, { follow }, (place) => {
    const { stats } = existing(place)
    return infoOf(path, stats, targetOf(place.directory, place.name, stats))
  })

const targetOf = (directory: number, name: Name | null, stats: BigIntStats): string | undefined =>
  name !== null && stats.isSymbolicLink() ? nameToText(nameOf(readLink(directory, name))) : undefined

export interface MakeDirectoryOptions {
  /** Makes those on the way too, and is content where it is there already. */
  readonly parents?: boolean
}

export const makeDirectory = (root: Root, path: string, options: MakeDirectoryOptions = {}): FileInfo =>
  withPlace(root, path, { follow: true, ...parents(root, options.parents) }, (place) => {
    if (place.found !== null) {
      const isThere = options.parents === true && kindOf(place.found.stats) === "directory"
      return isThere ? infoOf(path, place.found.stats) : refuse(path, { _tag: "Exists" })
    }
    const name = named(place)
    makeEntry(root, place.directory, name, 0o755)
    return withDescriptor(openEntry(place.directory, name), (made) => infoOf(path, statOf(made)))
  })

export interface MoveOptions {
  readonly overwrite?: boolean
}

/** Moves what has the name, a link itself and not its target. */
export const move = (root: Root, from: string, to: string, { overwrite = false }: MoveOptions = {}): void =>
  withPlace(root, from, { follow: false }, (source) => {
    existing(source)
    withPlace(root, to, { follow: false }, (target) => {
      if (target.found !== null && !overwrite) refuse(to, { _tag: "Exists" })
      renameSync(entryPath(source.directory, named(source)), entryPath(target.directory, named(target)))
    })
  })
