import type { BigIntStats } from "node:fs"
import { closeSync } from "node:fs"
import { type Identity, isSame, openDirectory, openEntry, openEntryIfAny, readLink, statOf } from "./descriptors.ts"
import { about, codeOf, refuse } from "./failures.ts"
import { parsePath, parseTarget } from "./InsidePath.ts"
import type { Name } from "./Name.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"

/** Where a path leads. The descriptors are open while it is used. */
export interface Place {
  readonly path: string
  /** The directory that holds it. */
  readonly directory: number
  /** Its name there; null where the path leads to a directory without naming it, as `.` and `a/..` do. */
  readonly name: Name | null
  readonly found: Found | null
}

export interface Found {
  readonly descriptor: number
  readonly stats: BigIntStats
}

export interface LocateOptions {
  /** Whether a link at the end is followed. Links before the end always are. */
  readonly follow: boolean
  /** Makes a directory that is missing on the way. */
  readonly makeDirectory?: (directory: number, name: Name) => void
}

const linksMax = 40
const stepsMax = 8_192

/** Finds where the path leads, and uses it. */
export const withPlace = <A>(root: Root, path: string, options: LocateOptions, use: (place: Place) => A): A =>
  about(path, () => {
    const walk = new Walk(root, path, options)
    try {
      return use(walk.toEnd())
    } finally {
      walk.close()
    }
  })

/** The same for work that takes long. */
export function* withPlaceInSteps<A>(
  root: Root,
  path: string,
  options: LocateOptions,
  use: (place: Place) => Steps<A>
): Steps<A> {
  const walk = new Walk(root, path, options)
  try {
    return yield* use(walk.toEnd())
  } finally {
    walk.close()
  }
}

/**
 * Goes a path name by name, and reads links itself. Each step is taken from the directory that is held open, so what is
 * renamed or swapped meanwhile may change where the path leads, but never to outside: a step is down into a real
 * directory, or up to one that it came through.
 */
class Walk {
  private readonly root: Root
  private readonly path: string
  private readonly options: LocateOptions
  private pending: Array<Name>
  private directory: number
  private found: Found | null = null
  /** The directories between the root and here. */
  private trail: Array<Identity> = []
  private links = 0

  constructor(root: Root, path: string, options: LocateOptions) {
    this.root = root
    this.path = path
    this.options = options
    this.pending = parsePath(path, root.at).toReversed()
    this.directory = openDirectory(root.descriptor, ".")
  }

  close() {
    closeSync(this.directory)
    if (this.found !== null) closeSync(this.found.descriptor)
  }

  toEnd(): Place {
    for (let steps = 0; steps < stepsMax; steps++) {
      const name = this.pending.pop()
      if (name === undefined) return this.here()
      if (name === ".") continue
      if (name === "..") this.up()
      else if (this.through(name)) return { ...this.place(), name, found: this.found }
    }
    return refuse(this.path, { _tag: "BadPath", detail: `it takes more than ${stepsMax} steps` })
  }

  private place() {
    return { path: this.path, directory: this.directory }
  }

  private here(): Place {
    const descriptor = openDirectory(this.directory, ".")
    this.found = { descriptor, stats: statOf(descriptor) }
    return { ...this.place(), name: null, found: this.found }
  }

  /** Takes the step; answers whether it was the last. */
  private through(name: Name): boolean {
    const found = this.look(name)
    const isLast = this.pending.length === 0
    if (found === null) return isLast || refuse(this.path, { _tag: "NotFound" })
    this.found = found
    if (found.stats.isSymbolicLink() && (!isLast || this.options.follow)) {
      this.follow(name)
      return false
    }
    if (isLast) return true
    if (!found.stats.isDirectory()) refuse(this.path, { _tag: "NotADirectory" })
    this.found = null
    this.enter(found.descriptor)
    this.trail.push(found.stats)
    return false
  }

  private look(name: Name): Found | null {
    const make = this.options.makeDirectory
    let descriptor = openEntryIfAny(this.directory, name)
    if (descriptor === null && make !== undefined && this.pending.length > 0) {
      make(this.directory, name)
      descriptor = openEntry(this.directory, name)
    }
    return descriptor === null ? null : { descriptor, stats: statOf(descriptor) }
  }

  private follow(name: Name) {
    if (++this.links > linksMax) refuse(this.path, { _tag: "BadPath", detail: "too many symbolic links" })
    this.release()
    const target = this.target(name)
    const names = parseTarget(target, this.root.at) ?? refuse(this.path, { _tag: "Outside" })
    this.pending.push(...names.toReversed())
    if (!target.startsWith("/")) return
    this.enter(openDirectory(this.root.descriptor, "."))
    this.trail = []
  }

  private target(name: Name): string {
    try {
      return readLink(this.directory, name)
    } catch (cause) {
      if (codeOf(cause) !== "EINVAL") throw cause
      return refuse(this.path, { _tag: "Stale", detail: "a symbolic link was replaced" })
    }
  }

  private up() {
    if (this.trail.length === 0) refuse(this.path, { _tag: "Outside" })
    this.trail.pop()
    const parent = openDirectory(this.directory, "..")
    this.enter(parent)
    if (!isSame(statOf(parent), this.trail.at(-1) ?? this.root.identity)) {
      refuse(this.path, { _tag: "Stale", detail: "a directory was moved" })
    }
  }

  private enter(directory: number) {
    closeSync(this.directory)
    this.directory = directory
  }

  private release() {
    if (this.found !== null) closeSync(this.found.descriptor)
    this.found = null
  }
}
