import type { LeftOut } from "@troupe/domain/runner/Checkpoint"
import { BlobBatch, type Store } from "./BlobBatch.ts"
import { readLink, statEntry, statOf } from "./descriptors.ts"
import { asFileError } from "./failures.ts"
import { type GlobPattern, globPattern } from "./GlobPattern.ts"
import { type Name, nameOf, nameToText } from "./Name.ts"
import { readChunks } from "./readChunks.ts"
import { versionOf } from "./readFile.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { traverse, type Visit } from "./traverse.ts"
import { Earlier } from "./TreeCursor.ts"
import type { LineSource, Seen, Wanted } from "./TreeLines.ts"
import { limitReached, TreeWriter } from "./TreeWriter.ts"
import { isUnfinished } from "./writeFile.ts"

export interface CaptureLimits {
  readonly bytesMax: number
  readonly entriesMax: number
  /** A file that is larger is left out, and named. */
  readonly fileBytesMax: number
}

export interface Captured {
  readonly checkpoint: string
  readonly files: number
  readonly bytes: number
  /** How much had to be read, because it was new or changed. */
  readonly bytesRead: number
  readonly leftOut: ReadonlyArray<LeftOut>
  readonly leftOutCount: number
}

export interface CaptureRequest {
  readonly root: Root
  /** Patterns of paths that are not captured. */
  readonly exclude: ReadonlyArray<string>
  readonly limits: CaptureLimits
  /** Nanoseconds since 1970. */
  readonly now: () => bigint
  /** The lines of the last capture, whose blobs are stored. */
  readonly earlier: LineSource
  /** Takes the lines of this one. */
  readonly index: number
}

type Work<A> = Steps<A, Store | Wanted>
type Entry = Extract<Visit, { _tag: "Entry" }>

/** Goes through the tree and the lines of its last capture together, and reads only what differs. */
export function* capture(request: CaptureRequest): Work<Captured> {
  const work = new Capture(request)
  const visits = traverse(request.root.descriptor)
  try {
    for (let visit = visits.next(); visit.done !== true;) {
      const enters = yield* work.take(visit.value)
      yield
      visit = visits.next(enters)
    }
  } finally {
    visits.return()
  }
  return yield* work.end()
}

const leftOutMax = 100

class Capture {
  private readonly request: CaptureRequest
  private readonly earlier: Earlier
  private readonly exclude: ReadonlyArray<GlobPattern>
  private readonly batch = new BlobBatch()
  private readonly writer: TreeWriter
  private readonly path: Array<string> = []
  private readonly leftOut: Array<LeftOut> = []
  private leftOutCount = 0
  private entries = 0
  private bytesRead = 0

  constructor(request: CaptureRequest) {
    this.request = request
    this.earlier = new Earlier(request.earlier)
    this.exclude = request.exclude.map(globPattern)
    this.writer = new TreeWriter(this.batch, request.index)
  }

  *take(visit: Visit): Work<boolean> {
    switch (visit._tag) {
      case "Entry":
        return yield* this.meet(visit)
      case "Entered":
        this.earlier.enter()
        this.path.push(nameToText(visit.name))
        yield* this.writer.add({
          _tag: "Directory",
          name: nameToText(visit.name),
          mode: Number(statOf(visit.directory).mode & 0o777n)
        })
        return false
      case "Left":
        this.path.pop()
        yield* this.earlier.leave()
        yield* this.writer.add({ _tag: "Up" })
        return false
      case "Trouble":
        yield* this.earlier.pass()
        this.leave(visit.name, visit.error.reason._tag === "Denied" ? "denied" : "lost")
        return false
      case "Reading":
        return false
    }
  }

  *end(): Work<Captured> {
    const { bytesRead, leftOut, leftOutCount, writer } = this
    const checkpoint = yield* writer.end(leftOut, leftOutCount)
    return { checkpoint, files: writer.files, bytes: writer.bytes, bytesRead, leftOut, leftOutCount }
  }

  /** Answers whether it is a directory to enter. */
  private *meet(entry: Entry): Work<boolean> {
    const { entriesMax } = this.request.limits
    if (++this.entries > entriesMax) throw limitReached("entries", entriesMax)
    if (isUnfinished(entry.name) || this.isExcluded(entry.name)) return false
    const seen = yield* this.earlier.find(entry.name)
    if (entry.kind === "directory") return true
    yield* this.earlier.pass()
    try {
      if (entry.kind === "file") yield* this.file(entry, seen)
      else if (entry.kind === "symlink") yield* this.link(entry)
      else this.leave(entry.name, "special")
    } catch (cause) {
      const { reason } = asFileError(nameToText(entry.name), cause)
      // It went away, which is as if it had never been there.
      if (reason._tag === "NotFound") return false
      if (reason._tag === "Denied") this.leave(entry.name, "denied")
      else throw cause
    }
    return false
  }

  private isExcluded(name: Name): boolean {
    if (this.exclude.length === 0) return false
    const path = [...this.path, nameToText(name)]
    return this.exclude.some((pattern) => pattern.matches(path))
  }

  private *file({ directory, name }: Entry, seen: Seen | null): Work<void> {
    if (seen?.line._tag === "File" && seen.version !== null && seen.version === versionOf(statEntry(directory, name))) {
      yield* this.writer.add(seen.line, seen.version)
    } else {
      const { limits, now, root } = this.request
      const read = yield* readChunks(root, directory, name, { bytesMax: limits.fileBytesMax, now }, this.batch)
      if (typeof read === "string") return this.leave(name, read)
      this.bytesRead += read.line.size
      if (read.isChanging) this.leave(name, "changing")
      yield* this.writer.add(read.line, read.version)
      if (this.writer.bytes > limits.bytesMax) throw limitReached("bytes", limits.bytesMax)
    }
  }

  private *link({ directory, name }: Entry): Work<void> {
    const target = nameToText(nameOf(readLink(directory, name)))
    yield* this.writer.add({ _tag: "Symlink", name: nameToText(name), target })
  }

  private leave(name: Name, why: LeftOut["why"]) {
    if (this.leftOutCount++ < leftOutMax) this.leftOut.push({ path: [...this.path, nameToText(name)].join("/"), why })
  }
}
