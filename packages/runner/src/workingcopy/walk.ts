import type { FileInfo } from "@troupe/domain/runner/Files"
import { kindOf, openEntry, statEntry, statOf, withDescriptor } from "./descriptors.ts"
import { join } from "./directories.ts"
import { asFileError, refuse } from "./failures.ts"
import { type IgnoreRules, isIgnored, parseIgnore } from "./Gitignore.ts"
import { type GlobPattern, globPattern } from "./GlobPattern.ts"
import { withPlaceInSteps } from "./locate.ts"
import { type Name, nameOf, nameToText } from "./Name.ts"
import { entryInfo, existing, readAt, withFile } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { traverse, type Visit } from "./traverse.ts"

export interface WalkOptions {
  /** Only paths that it matches, below where the walk starts. */
  readonly pattern?: string
  /** `git`: leaves out what `.gitignore` files below name, and `.git`. */
  readonly ignore?: "none" | "git"
  /** Whether names that begin with a dot are met; so where absent. */
  readonly hidden?: boolean
  /** Directories too, and not only files and links. */
  readonly directories?: boolean
  /** How much is answered at most: the first in order of paths, or the newest. */
  readonly limit?: number
  readonly order?: "path" | "newest"
  /** How many entries are looked at before the walk gives up. */
  readonly entriesMax?: number
  readonly depthMax?: number
}

export interface WalkResult {
  readonly entries: ReadonlyArray<FileInfo>
  /** False where a limit cut it, or a directory could not be read. */
  readonly isComplete: boolean
}

const limitMax = 100_000
const entriesMax = 1_000_000
/** Deeper paths could not be named in a request. */
const depthMax = 1_024

export const walk = (root: Root, path: string, options: WalkOptions = {}): Steps<WalkResult> =>
  withPlaceInSteps(root, path, { follow: true }, function* (place) {
    const found = existing(place)
    if (kindOf(found.stats) !== "directory") refuse(path, { _tag: "NotADirectory" })
    const walker = new Walker(root, path, options)
    const visits = traverse(found.descriptor)
    try {
      for (let visit = visits.next(); visit.done !== true; visit = visits.next(walker.take(visit.value))) {
        if (walker.isFull) break
        yield
      }
    } finally {
      visits.return()
    }
    return walker.result()
  })

class Walker {
  isFull = false
  private readonly root: Root
  private readonly path: string
  private readonly options: WalkOptions
  private readonly pattern: GlobPattern | undefined
  private readonly limit: number
  private readonly here: Array<string> = []
  private ignores: ReadonlyArray<IgnoreRules> = []
  private entries: Array<FileInfo> = []
  private seen = 0
  private isComplete = true

  constructor(root: Root, path: string, options: WalkOptions) {
    this.root = root
    this.path = path
    this.options = options
    this.pattern = options.pattern === undefined ? undefined : globPattern(options.pattern)
    this.limit = Math.max(1, Math.min(options.limit ?? limitMax, limitMax))
  }

  result(): WalkResult {
    this.trim()
    return { entries: this.entries, isComplete: this.isComplete }
  }

  /** Answers whether the directory that was met is entered. */
  take(visit: Visit): boolean {
    switch (visit._tag) {
      case "Entry":
        return this.meet(visit)
      case "Entered":
        this.here.push(nameToText(visit.name))
        this.readIgnore(visit.directory)
        return false
      case "Left":
        this.here.pop()
        this.ignores = this.ignores.filter(({ depth }) => depth <= this.here.length)
        return false
      case "Trouble":
        this.isComplete = false
        return false
      case "Reading":
        return false
    }
  }

  private meet({ directory, kind, name }: Extract<Visit, { _tag: "Entry" }>): boolean {
    if (this.seen === 0) this.readIgnore(directory)
    if (++this.seen > (this.options.entriesMax ?? entriesMax)) return this.giveUp()
    const isDirectory = kind === "directory"
    const path = [...this.here, nameToText(name)]
    if (this.isLeftOut(name, path, isDirectory)) return false
    const isWanted = isDirectory ? this.options.directories === true : kind === "file" || kind === "symlink"
    if (isWanted && this.pattern?.matches(path) !== false) this.add(directory, name, path)
    if (!isDirectory) return false
    if (path.length >= (this.options.depthMax ?? depthMax)) this.isComplete = false
    else return this.pattern?.reaches(path) !== false
    return false
  }

  private giveUp(): boolean {
    this.isFull = true
    this.isComplete = false
    return false
  }

  private isLeftOut(name: Name, path: ReadonlyArray<string>, isDirectory: boolean): boolean {
    if (this.options.hidden === false && name.startsWith(".")) return true
    if (this.options.ignore !== "git") return false
    return (isDirectory && name === ".git") || isIgnored(this.ignores, path, isDirectory)
  }

  private add(directory: number, name: Name, path: ReadonlyArray<string>) {
    try {
      this.entries.push(entryInfo(join(this.path, path.join("/")), directory, name, statEntry(directory, name)))
    } catch (cause) {
      // It went away, or its directory may be listed but not looked into.
      if (asFileError(this.path, cause).reason._tag === "Denied") this.isComplete = false
    }
    if (this.options.order !== "newest" && this.entries.length > this.limit) this.giveUp()
    else if (this.entries.length > this.limit * 2) this.trim()
  }

  private trim() {
    if (this.options.order === "newest") this.entries.sort((a, b) => b.modifiedMs - a.modifiedMs)
    if (this.entries.length <= this.limit) return
    this.entries = this.entries.slice(0, this.limit)
    this.isComplete = false
  }

  private readIgnore(directory: number) {
    if (this.options.ignore !== "git") return
    const text = readSmall(this.root, directory, nameOf(".gitignore"))
    if (text !== null) this.ignores = [...this.ignores, parseIgnore(text, this.here.length)]
  }
}

const ignoreBytesMax = 262_144

/** A file of rules, or null where there is none that can be read. */
const readSmall = (root: Root, directory: number, name: Name): string | null => {
  try {
    return withDescriptor(openEntry(directory, name), (descriptor) => {
      const stats = statOf(descriptor)
      if (stats.size > ignoreBytesMax) return null
      return withFile(root, name, { descriptor, stats }, (file) =>
        Buffer.from(readAt(file, 0, ignoreBytesMax)).toString()
      )
    })
  } catch {
    return null
  }
}
