import type { Expected, FileInfo } from "@troupe/domain/runner/Files"
import { randomBytes } from "node:crypto"
import {
  closeSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
  constants
} from "node:fs"
import { createFile, entryPath, kindOf, openEntryIfAny, statOf, withDescriptor } from "./descriptors.ts"
import { codeOf, refuse } from "./failures.ts"
import { type Found, type LocateOptions, type Place, withPlace } from "./locate.ts"
import { type Name, nameOf } from "./Name.ts"
import { digestOf, infoOf, versionOf } from "./readFile.ts"
import type { Root } from "./Root.ts"

export interface WriteOptions {
  readonly expected?: Expected
  /** Of a new file, 0644 where absent; a file that is there keeps its own. */
  readonly mode?: number
  /** Makes the directories on the way. */
  readonly parents?: boolean
}

/** Replaces the file whole or leaves it as it was; other names of the old content keep that. */
export const writeFile = (root: Root, path: string, bytes: Uint8Array, options: WriteOptions = {}): FileInfo =>
  withPlace(root, path, { follow: true, ...parents(root, options.parents) }, (place) => {
    const name = named(place)
    if (place.found !== null && kindOf(place.found.stats) !== "file") {
      refuse(path, { _tag: "NotAFile", found: kindOf(place.found.stats) })
    }
    const mode = place.found === null ? (options.mode ?? 0o644) : Number(place.found.stats.mode)
    return replace(root, place.directory, name, mode & 0o777, {
      fill: (file) => writeAll(file, bytes),
      check: () => checkExpected(root, path, place, options.expected),
      describe: (file) => infoOf(path, statOf(file))
    })
  })

/** Takes a file of ours into the directory, whole and at once. It must be on the same disk, and out of the reach of agents. */
export const adoptFile = (root: Root, path: string, source: string): FileInfo =>
  withPlace(root, path, { follow: true, ...parents(root, true) }, (place) => {
    const name = named(place)
    if (place.found !== null && kindOf(place.found.stats) !== "file") {
      refuse(path, { _tag: "NotAFile", found: kindOf(place.found.stats) })
    }
    return withDescriptor(openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW), (file) => {
      own(root, file)
      fchmodSync(file, 0o644)
      renameSync(source, entryPath(place.directory, name))
      return infoOf(path, statOf(file))
    })
  })

/** Names of files that we are still writing. One that outlived us is nobody's. */
export const isUnfinished = (name: string): boolean => /^\.troupe-[0-9a-f]{16}$/.test(name)

export const unfinishedName = (): Name => nameOf(`.troupe-${randomBytes(8).toString("hex")}`)

interface Replacement<A> {
  readonly fill: (file: number) => void
  /** The last look before the new file takes the name. */
  readonly check?: () => void
  readonly describe: (file: number) => A
}

/** Writes a new file beside, and gives it the name once it is whole. */
export const replace = <A>(
  root: Root,
  directory: number,
  name: Name,
  mode: number,
  { check, describe, fill }: Replacement<A>
): A => {
  const unfinished = unfinishedName()
  const file = createFile(directory, unfinished)
  try {
    fill(file)
    own(root, file)
    fchmodSync(file, mode)
    check?.()
    renameSync(entryPath(directory, unfinished), entryPath(directory, name))
    return describe(file)
  } catch (cause) {
    forget(directory, unfinished)
    throw cause
  } finally {
    closeSync(file)
  }
}

const forget = (directory: number, unfinished: Name) => {
  try {
    unlinkSync(entryPath(directory, unfinished))
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
}

export const writeAll = (file: number, bytes: Uint8Array): void => {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

export const own = ({ owner }: Root, descriptor: number): void => {
  if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid)
}

/** The name a change is about; what is reached without naming it, as the root is, can't be changed. */
export const named = ({ name, path }: Place): Name =>
  name ?? refuse(path, { _tag: "BadPath", detail: "it names no entry of a directory" })

export const parents = (root: Root, wanted = false): Partial<LocateOptions> =>
  wanted ? { makeDirectory: (directory, name) => makeEntry(root, directory, name, 0o755) } : {}

/** Makes a directory. That another one made it meanwhile is fine: the next step looks at what is there. */
export const makeEntry = (root: Root, directory: number, name: Name, mode: number): void => {
  try {
    mkdirSync(entryPath(directory, name), { mode })
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return
    throw cause
  }
  const made = openSync(
    entryPath(directory, name),
    constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  )
  try {
    own(root, made)
  } finally {
    closeSync(made)
  }
}

const checkExpected = (root: Root, path: string, place: Place, expected: Expected | undefined): void => {
  if (expected === undefined) return
  const descriptor = openEntryIfAny(place.directory, named(place))
  const found = descriptor === null ? null : { descriptor, stats: statOf(descriptor) }
  try {
    const wrong = disagreement(root, path, found, expected)
    if (wrong !== undefined) refuse(path, { _tag: "Stale", detail: wrong })
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

const disagreement = (root: Root, path: string, found: Found | null, expected: Expected): string | undefined => {
  if (expected._tag === "Absent") return found === null ? undefined : "it exists"
  if (found === null) return "it is gone"
  const isSo =
    expected._tag === "Version"
      ? versionOf(found.stats) === expected.version
      : digestOf(root, path, found) === expected.sha256
  return isSo ? undefined : "it was changed"
}
