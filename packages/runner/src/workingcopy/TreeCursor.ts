import type { TreeLine } from "@troupe/domain/runner/Checkpoint"
import { type Name, nameFromText } from "./Name.ts"
import type { Steps } from "./Slices.ts"
import type { LineSource, Seen, Wanted } from "./TreeLines.ts"

export const lineName = (line: TreeLine): Name | null => (line._tag === "Up" ? null : nameFromText(line.name))

/** A place in a tree's lines. */
export class TreeCursor {
  private readonly source: LineSource
  private ahead: Seen | null | undefined

  constructor(source: LineSource) {
    this.source = source
  }

  *peek(): Steps<Seen | null, Wanted> {
    this.ahead = this.ahead === undefined ? yield* this.source.read() : this.ahead
    return this.ahead
  }

  *take(): Steps<Seen | null, Wanted> {
    const next = yield* this.peek()
    this.ahead = next === null ? null : undefined
    return next
  }

  /** The name of the next entry of this directory, or null at its end. */
  *name(): Steps<Name | null, Wanted> {
    const next = yield* this.peek()
    return next === null ? null : lineName(next.line)
  }

  /** Takes the next entry with all that is below it. */
  *skip(): Steps<void, Wanted> {
    let depth = 0
    do {
      const next = yield* this.take()
      if (next === null) return
      if (next.line._tag === "Directory") depth++
      else if (next.line._tag === "Up") depth--
    } while (depth > 0)
  }

  /** Goes to the entry with this name in this directory and takes its line, if there is one. */
  *find(name: Name): Steps<Seen | null, Wanted> {
    for (let next = yield* this.name(); next !== null && next <= name; next = yield* this.name()) {
      if (next === name) return yield* this.take()
      yield* this.skip()
    }
    return null
  }

  /** Goes past the end of this directory. */
  *leave(): Steps<void, Wanted> {
    while ((yield* this.name()) !== null) yield* this.skip()
    yield* this.take()
  }
}

/**
 * Follows a traversal through the lines of an earlier one: both go in the same order, so the earlier one is never held in
 * memory whole.
 */
export class Earlier {
  private readonly cursor: TreeCursor
  /** How deep the traversal is in directories that did not exist then. */
  private unknown = 0
  private last: Seen | null = null

  constructor(source: LineSource) {
    this.cursor = new TreeCursor(source)
  }

  *find(name: Name): Steps<Seen | null, Wanted> {
    this.last = this.unknown > 0 ? null : yield* this.cursor.find(name)
    return this.last
  }

  /** The directory that was found last is entered. */
  enter() {
    if (this.unknown > 0 || this.last?.line._tag !== "Directory") this.unknown++
  }

  /** A directory that was found last is not entered. */
  *pass(): Steps<void, Wanted> {
    if (this.unknown === 0 && this.last?.line._tag === "Directory") yield* this.cursor.leave()
  }

  *leave(): Steps<void, Wanted> {
    if (this.unknown > 0) this.unknown--
    else yield* this.cursor.leave()
  }
}
