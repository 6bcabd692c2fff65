import type { TreeChange, TreeLine } from "@troupe/domain/runner/Checkpoint"
import type { Steps } from "./Slices.ts"
import { TreeCursor } from "./TreeCursor.ts"
import type { LineSource, Wanted } from "./TreeLines.ts"

type Entry = Exclude<TreeLine, { _tag: "Up" }>

/** A change, with the lines that say what was and is there. */
export interface Difference {
  readonly change: Omit<TreeChange, "text">
  readonly before: Entry | null
  readonly after: Entry | null
}

export interface Differences {
  readonly changes: ReadonlyArray<Difference>
  /** False where there are more than were asked for. */
  readonly isComplete: boolean
}

/** What differs between two trees. A directory itself is named only where it has nothing in it or its mode changed. */
export function* diffTrees(a: LineSource, b: LineSource, changesMax: number): Steps<Differences, Wanted> {
  const diff = new Diff(new TreeCursor(a), new TreeCursor(b), changesMax)
  yield* diff.all()
  return { changes: diff.changes, isComplete: diff.isComplete }
}

type Side = "both" | "before" | "after"

class Diff {
  readonly changes: Array<Difference> = []
  isComplete = true
  private readonly before: TreeCursor
  private readonly after: TreeCursor
  private readonly changesMax: number
  /** The directories we are in, and in which of the trees they are. */
  private readonly trail: Array<{ readonly name: string; readonly side: Side }> = []

  constructor(before: TreeCursor, after: TreeCursor, changesMax: number) {
    this.before = before
    this.after = after
    this.changesMax = changesMax
  }

  *all(): Steps<void, Wanted> {
    while (this.isComplete) {
      const side = this.trail.at(-1)?.side ?? "both"
      const a = side === "after" ? null : yield* this.before.name()
      const b = side === "before" ? null : yield* this.after.name()
      if (a === null && b === null) {
        if (this.trail.pop() === undefined) return
        if (side !== "after") yield* this.before.take()
        if (side !== "before") yield* this.after.take()
      } else if (b === null || (a !== null && a < b)) yield* this.only("before")
      else if (a === null || b < a) yield* this.only("after")
      else yield* this.compare()
      yield
    }
  }

  private *only(side: "before" | "after"): Steps<void, Wanted> {
    const entry = (yield* this[side].take())!.line as Entry
    if (entry._tag !== "Directory") return this.add(side === "before" ? entry : null, side === "after" ? entry : null)
    const isEmpty = (yield* this[side].name()) === null
    if (isEmpty) this.add(side === "before" ? entry : null, side === "after" ? entry : null)
    this.trail.push({ name: entry.name, side })
  }

  private *compare(): Steps<void, Wanted> {
    const a = (yield* this.before.take())!.line as Entry
    const b = (yield* this.after.take())!.line as Entry
    if (!isSameEntry(a, b)) this.add(a, b)
    if (a._tag === "Directory" && b._tag === "Directory") this.trail.push({ name: a.name, side: "both" })
    else if (a._tag === "Directory") this.trail.push({ name: a.name, side: "before" })
    else if (b._tag === "Directory") this.trail.push({ name: b.name, side: "after" })
  }

  private add(before: Entry | null, after: Entry | null) {
    if (this.changes.length >= this.changesMax) {
      this.isComplete = false
      return
    }
    const path = [...this.trail.map(({ name }) => name), (after ?? before)!.name].join("/")
    const change =
      before === null ? "added" : after === null ? "removed" : before._tag === after._tag ? "changed" : "retyped"
    this.changes.push({ change: { path, change, before: sideOf(before), after: sideOf(after) }, before, after })
  }
}

const isSameEntry = (a: Entry, b: Entry): boolean => {
  if (a._tag === "File" && b._tag === "File") {
    return a.mode === b.mode && a.size === b.size && a.chunks.every((digest, index) => digest === b.chunks[index])
  }
  if (a._tag === "Directory" && b._tag === "Directory") return a.mode === b.mode
  return a._tag === "Symlink" && b._tag === "Symlink" && a.target === b.target
}

const kinds = { File: "file", Directory: "directory", Symlink: "symlink" } as const

const sideOf = (entry: Entry | null): TreeChange["before"] =>
  entry === null
    ? null
    : {
        kind: kinds[entry._tag],
        size: entry._tag === "File" ? entry.size : entry._tag === "Symlink" ? entry.target.length : 0,
        mode: entry._tag === "Symlink" ? 0o777 : entry.mode
      }
