import { FileError, type FileKind } from "@troupe/domain/runner/Files"
import { readlinkSync } from "node:fs"
import { entriesOf, type Identity, kindOf, ownPath } from "./descriptors.ts"
import { refuse } from "./failures.ts"
import { withPlace, withPlaceInSteps } from "./locate.ts"
import { nameToText } from "./Name.ts"
import { existing } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"

export interface FoundDirectory extends Identity {
  /** As the system names it, without links. */
  readonly path: string
}

export const findDirectory = (root: Root, path: string): FoundDirectory =>
  withPlace(root, path, { follow: true }, (place) => {
    const { descriptor, stats } = existing(place)
    if (kindOf(stats) !== "directory") refuse(path, { _tag: "NotADirectory" })
    const { dev, ino } = stats
    return { path: pathOf(path, descriptor), dev, ino }
  })

const pathOf = (asked: string, descriptor: number): string => {
  const raw = readlinkSync(ownPath(descriptor), { encoding: "latin1" })
  const text = Buffer.from(raw, "latin1").toString("utf8")
  // Whoever mounts it has to name it.
  if (Buffer.from(text, "utf8").toString("latin1") !== raw) refuse(asked, { _tag: "BadPath", detail: "it is no text" })
  return text
}

export interface ListedDirectory {
  readonly path: string
  readonly leadsTo: string
}

const listedMax = 10_000

/** Directories, and links that lead to one below the root. The path is one that `findDirectory` gave. */
export const directoriesIn = (root: Root, path: string): Steps<ReadonlyArray<ListedDirectory>> =>
  withPlaceInSteps(root, path, { follow: true }, function* (place) {
    const found: Array<ListedDirectory> = []
    for (const [name, kind] of entriesOf(existing(place).descriptor)) {
      if (found.length >= listedMax) break
      const entry = path === "/" ? `/${nameToText(name)}` : `${path}/${nameToText(name)}`
      const leadsTo = mayLead(kind) ? target(root, entry) : null
      if (leadsTo !== null) found.push({ path: entry, leadsTo })
      yield
    }
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  })

const mayLead = (kind: FileKind | null): boolean => kind === "directory" || kind === "symlink" || kind === null

const target = (root: Root, path: string): string | null => {
  try {
    return findDirectory(root, path).path
  } catch (cause) {
    if (cause instanceof FileError) return null
    throw cause
  }
}
