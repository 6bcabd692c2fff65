import { FileError, type FileKind } from "@troupe/domain/runner/Files"
import { chmodSync, closeSync } from "node:fs"
import { entriesOf, type Identity, isSame, kindOf, openDirectory, ownPath, statEntry, statOf } from "./descriptors.ts"
import { asFileError, codeOf, refuse } from "./failures.ts"
import { type Name, nameOf, nameToText } from "./Name.ts"

/** What a traversal meets: a directory before what is in it, in the order of the names' bytes. */
export type Visit =
  /** `directory` is open until the next step. One of kind directory is entered when the visitor answers true. */
  | { readonly _tag: "Entry"; readonly directory: number; readonly name: Name; readonly kind: FileKind }
  | { readonly _tag: "Entered"; readonly directory: number; readonly name: Name }
  /** Back in the directory that holds it; null where that was moved away meanwhile. */
  | { readonly _tag: "Left"; readonly directory: number | null; readonly name: Name }
  /** A directory that can't be entered, or whose rest is lost because it was moved away. */
  | { readonly _tag: "Trouble"; readonly name: Name; readonly error: FileError }
  /** Nothing yet: a large directory is being read. */
  | { readonly _tag: "Reading" }

export type Visits = Generator<Visit, void, boolean | void>

export interface TraverseOptions {
  /** Opens directories that their mode locks, where they are ours. */
  readonly unlock?: boolean
}

interface Level {
  readonly name: Name
  readonly identity: Identity
  readonly entries: ReadonlyArray<readonly [Name, FileKind | null]>
  next: number
}

const directoryEntriesMax = 1_000_000
/** How often a traversal finds its way again after directories were moved under it. */
const lostMax = 100

/** Goes through a tree of any depth with one directory open at a time. */
export function* traverse(start: number, options: TraverseOptions = {}): Visits {
  const traversal = new Traversal(start, options)
  try {
    yield* traversal.run()
  } finally {
    traversal.close()
  }
}

/**
 * Goes back up by `..` and makes sure that this is the directory it came from: a directory that was moved away while we
 * were in it leads nowhere else. Then the way is looked for again from the start.
 */
class Traversal {
  private readonly start: number
  private readonly options: TraverseOptions
  private here: number
  private levels: Array<Level> = []
  private lost = 0

  constructor(start: number, options: TraverseOptions) {
    this.start = start
    this.options = options
    this.here = openDirectory(start, ".")
  }

  close() {
    closeSync(this.here)
  }

  *run(): Visits {
    this.levels.push(yield* this.read(this.here, nameOf("")))
    for (let level = this.levels.at(-1)!; ; level = this.levels.at(-1)!) {
      const entry = level.entries[level.next++]
      if (entry !== undefined) yield* this.visit(...entry)
      else if (this.levels.length > 1) yield* this.leave()
      else return
    }
  }

  private *visit(name: Name, told: FileKind | null): Visits {
    const kind = told ?? kindNow(this.here, name)
    if (kind === null) return
    const enters = yield { _tag: "Entry", directory: this.here, name, kind }
    if (kind !== "directory" || enters !== true) return
    try {
      yield* this.enter(name)
    } catch (cause) {
      yield { _tag: "Trouble", name, error: asFileError(nameToText(name), cause) }
      return
    }
    yield { _tag: "Entered", directory: this.here, name }
  }

  private *enter(name: Name): Visits {
    const child = openDirectory(this.here, name)
    let entered = false
    try {
      this.levels.push(yield* this.read(child, name))
      entered = true
    } finally {
      if (entered) this.moveTo(child)
      else closeSync(child)
    }
  }

  private *read(directory: number, name: Name): Generator<Visit, Level, boolean | void> {
    const stats = statOf(directory)
    if (this.options.unlock === true && Number(stats.uid) === process.geteuid?.()) {
      chmodSync(ownPath(directory), Number(stats.mode & 0o777n) | 0o700)
    }
    const entries: Array<readonly [Name, FileKind | null]> = []
    for (const entry of entriesOf(directory)) {
      if (entries.length >= directoryEntriesMax) {
        refuse(nameToText(name), { _tag: "TooLarge", bytes: entries.length, bytesMax: directoryEntriesMax })
      }
      if (entries.push(entry) % 1_000 === 0) yield { _tag: "Reading" }
    }
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return { name, identity: stats, entries, next: 0 }
  }

  private *leave(): Visits {
    while (true) {
      const { name } = this.levels.pop()!
      const parent = this.ascend() ?? this.descendAgain()
      if (parent !== null) {
        this.moveTo(parent)
        yield { _tag: "Left", directory: parent, name }
        return
      }
      yield { _tag: "Left", directory: null, name }
      const level = this.levels.at(-1)!
      const path = nameToText(level.name)
      const error = new FileError({ path, reason: { _tag: "Stale", detail: "it was moved" } })
      yield { _tag: "Trouble", name: level.name, error }
    }
  }

  private ascend(): number | null {
    const parent = openDirectory(this.here, "..")
    if (isSame(statOf(parent), this.levels.at(-1)!.identity)) return parent
    closeSync(parent)
    if (++this.lost > lostMax) refuse("", { _tag: "Stale", detail: "directories are being moved all the time" })
    return null
  }

  /** The start is never lost, so this ends there at the latest. */
  private descendAgain(): number | null {
    let directory = openDirectory(this.start, ".")
    for (const { identity, name } of this.levels.slice(1)) {
      const next = sameDirectory(directory, name, identity)
      closeSync(directory)
      if (next === null) return null
      directory = next
    }
    return directory
  }

  private moveTo(directory: number) {
    closeSync(this.here)
    this.here = directory
  }
}

const sameDirectory = (directory: number, name: Name, identity: Identity): number | null => {
  try {
    const next = openDirectory(directory, name)
    if (isSame(statOf(next), identity)) return next
    closeSync(next)
    return null
  } catch {
    return null
  }
}

const kindNow = (directory: number, name: Name): FileKind | null => {
  try {
    return kindOf(statEntry(directory, name))
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}
