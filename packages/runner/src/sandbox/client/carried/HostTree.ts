import { closeSync, fchmodSync, futimesSync, lchownSync, openSync, constants, rmSync, symlinkSync } from "node:fs"
import {
  entryPath,
  kindOf,
  openDirectory,
  openEntry,
  openForReading,
  readLink,
  statEntry,
  withDescriptor
} from "../../../workingcopy/descriptors.ts"
import { codeOf } from "../../../workingcopy/failures.ts"
import { type Name, nameOf } from "../../../workingcopy/Name.ts"
import { readAt, versionOf } from "../../../workingcopy/readFile.ts"
import type { Root } from "../../../workingcopy/Root.ts"
import type { Steps } from "../../../workingcopy/Slices.ts"
import { traverse } from "../../../workingcopy/traverse.ts"
import { isUnfinished, makeEntry, replace, writeAll } from "../../../workingcopy/writeFile.ts"
import type { Item } from "./tar.ts"

/** Something on this host, and by what one sees that it has changed. */
export interface Known {
  readonly kind: "directory" | "file" | "symlink"
  readonly version: string
}

const pieceBytes = 262_144

/** All that is below a directory of the host, by its path below it. */
export function* everythingIn(root: Root): Steps<ReadonlyMap<string, Known>> {
  const found = new Map<string, Known>()
  const trail: Array<string> = []
  const visits = traverse(root.descriptor)
  try {
    for (let visit = visits.next(); visit.done !== true;) {
      let enters = false
      if (visit.value._tag === "Entry") {
        const { directory, kind, name } = visit.value
        const path = [...trail, name].join("/")
        const known = isUnfinished(name) ? null : knownOf(directory, name)
        if (known !== null) found.set(path, known)
        enters = kind === "directory"
      } else if (visit.value._tag === "Entered") trail.push(visit.value.name)
      else if (visit.value._tag === "Left") trail.pop()
      yield
      visit = visits.next(enters)
    }
  } finally {
    visits.return()
  }
  return found
}

const knownOf = (directory: number, name: Name): Known | null => {
  try {
    const stats = statEntry(directory, name)
    const kind = kindOf(stats)
    const mode = (stats.mode & 0o777n).toString(8)
    if (kind === "file") return { kind, version: `${versionOf(stats)}-${mode}` }
    if (kind === "symlink") return { kind, version: readLink(directory, name) }
    return kind === "directory" ? { kind, version: mode } : null
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}

/** What a machine needs of something here; null where it has gone since. */
export const itemOf = (root: Root, path: string, at: Name): Item | null => {
  try {
    return within(root, path, (directory, name) => {
      const stats = statEntry(directory, name)
      const mode = Number(stats.mode & 0o777n)
      switch (kindOf(stats)) {
        case "directory":
          return { _tag: "Directory", path: at, mode }
        case "symlink":
          return { _tag: "Symlink", path: at, target: nameOf(readLink(directory, name)) }
        case "file": {
          const size = Number(stats.size)
          const modifiedS = Number(stats.mtimeNs / 1_000_000_000n)
          return { _tag: "File", path: at, mode, size, modifiedS, content: contentOf(root, path) }
        }
        default:
          return null
      }
    })
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}

function* contentOf(root: Root, path: string): Generator<Uint8Array> {
  const file = within(root, path, (directory, name) => withDescriptor(openEntry(directory, name), openForReading))
  try {
    for (let at = 0; ;) {
      const bytes = readAt(file, at, pieceBytes)
      if (bytes.length === 0) return
      yield bytes
      at += bytes.length
    }
  } finally {
    closeSync(file)
  }
}

/** Makes a directory here, whatever else had its name. */
export const putDirectory = (root: Root, path: string): void => within(root, `${path}/.`, () => {}, true)

export const setMode = (root: Root, path: string, mode: number): Known =>
  within(root, path, (directory, name) => {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    withDescriptor(openSync(entryPath(directory, name), flags), (own) => fchmodSync(own, mode))
    return knownOf(directory, name)!
  })

export interface NewFile {
  readonly mode: number
  readonly modifiedS: number
  readonly content: Iterable<Uint8Array>
}

export const putFile = (root: Root, path: string, { content, mode, modifiedS }: NewFile): Known =>
  within(
    root,
    path,
    (directory, name) => {
      clear(directory, name, "directory")
      replace(root, directory, name, mode, {
        fill: (file) => {
          for (const piece of content) writeAll(file, piece)
          futimesSync(file, modifiedS, modifiedS)
        },
        describe: () => {}
      })
      return knownOf(directory, name)!
    },
    true
  )

export const putLink = (root: Root, path: string, target: Name): Known =>
  within(
    root,
    path,
    (directory, name) => {
      remove(directory, name)
      symlinkSync(Buffer.from(target, "latin1"), entryPath(directory, name))
      if (root.owner !== null) lchownSync(entryPath(directory, name), root.owner.uid, root.owner.gid)
      return knownOf(directory, name)!
    },
    true
  )

/** Takes it away, with all below it; that it is gone already is fine. */
export const take = (root: Root, path: string): void => {
  try {
    within(root, path, remove)
  } catch (cause) {
    const code = codeOf(cause)
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") throw cause
  }
}

const remove = (directory: number, name: Name): void =>
  rmSync(entryPath(directory, name), { recursive: true, force: true })

const clear = (directory: number, name: Name, only?: "directory" | "others"): void => {
  const kind = knownOf(directory, name)?.kind
  if (only === "directory" ? kind === "directory" : kind !== "directory") remove(directory, name)
}

/**
 * The directory that holds it, one name after the other and through no link: names come from a machine that may be hostile.
 * What is in the way of a directory goes, where directories are made.
 */
const within = <A>(root: Root, path: string, use: (directory: number, name: Name) => A, makes = false): A => {
  const names = path.split("/").map(nameOf)
  const name = names.pop()!
  let here = openDirectory(root.descriptor, ".")
  try {
    for (const each of names) {
      if (each === "" || each === "." || each === "..") throw new Error(`${path} is no path below a directory`)
      if (makes) {
        clear(here, each, "others")
        makeEntry(root, here, each, 0o755)
      }
      const next = openDirectory(here, each)
      closeSync(here)
      here = next
    }
    return use(here, name)
  } finally {
    closeSync(here)
  }
}
