import type { TreeLine } from "@troupe/domain/runner/Checkpoint"
import { chmodSync, closeSync, fchmodSync, futimesSync, lchownSync, symlinkSync, unlinkSync } from "node:fs"
import { batchBytesMax } from "./Blobs.ts"
import { createFile, entryPath, type Identity, isSame, openDirectory, ownPath, statOf } from "./descriptors.ts"
import { codeOf, refuse } from "./failures.ts"
import { type Name, nameFromText } from "./Name.ts"
import type { FileLine } from "./readChunks.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { corrupt, fetched, type Wanted } from "./TreeLines.ts"
import { makeEntry, own, writeAll } from "./writeFile.ts"

export type DirectoryLine = Extract<TreeLine, { _tag: "Directory" }>

type Work<A> = Steps<A, Wanted>

const chunksAtOnce = 8

/** Where a restore is in the tree that it makes. */
export class RestorePlace {
  private readonly root: Root
  /** Whether there may be something from an earlier try. */
  private readonly isAgain: boolean
  private here: number
  private readonly trail: Array<{ readonly identity: Identity; readonly line: DirectoryLine }> = []

  constructor(root: Root, isAgain: boolean) {
    this.root = root
    this.isAgain = isAgain
    this.here = openDirectory(root.descriptor, ".")
  }

  close() {
    closeSync(this.here)
  }

  *apply(lines: ReadonlyArray<TreeLine>): Work<void> {
    const content = yield* this.fetch(lines)
    for (const line of lines) {
      if (line._tag === "Directory") this.enter(line)
      else if (line._tag === "Up") this.leave()
      else if (line._tag === "Symlink") this.link(nameFromText(line.name), line.target)
      else yield* this.file(line, content)
      yield
    }
  }

  /** A directory is open to us while it is filled, and gets its mode when it is left. */
  enter(line: DirectoryLine) {
    const name = nameFromText(line.name)
    makeEntry(this.root, this.here, name, 0o700)
    const directory = openDirectory(this.here, name)
    this.moveTo(directory)
    this.trail.push({ identity: statOf(directory), line })
  }

  private leave() {
    const left = this.trail.pop()
    if (left === undefined) return refuse("", { _tag: "Outside" })
    const parent = openDirectory(this.here, "..")
    const isParent = isSame(statOf(parent), this.trail.at(-1)?.identity ?? this.root.identity)
    if (isParent) chmodSync(ownPath(this.here), left.line.mode)
    this.moveTo(parent)
    if (!isParent) refuse(left.line.name, { _tag: "Stale", detail: "a directory was moved while it was restored" })
  }

  private link(name: Name, target: string) {
    this.clear(name)
    symlinkSync(Buffer.from(nameFromText(target), "latin1"), entryPath(this.here, name))
    const { owner } = this.root
    if (owner !== null) lchownSync(entryPath(this.here, name), owner.uid, owner.gid)
  }

  private *file(line: FileLine, content: ReadonlyMap<string, Uint8Array>): Work<void> {
    const name = nameFromText(line.name)
    this.clear(name)
    const file = createFile(this.here, name)
    try {
      let size = 0
      for (let at = 0; at < line.chunks.length; at += chunksAtOnce) {
        const digests = line.chunks.slice(at, at + chunksAtOnce)
        const chunks = isStreamed(line) ? yield* fetched(digests) : digests.map((digest) => content.get(digest)!)
        for (const chunk of chunks) {
          writeAll(file, chunk)
          size += chunk.length
        }
      }
      if (size !== line.size) throw corrupt(line.chunks[0] ?? "", `${line.name} has ${size} bytes, not ${line.size}`)
      own(this.root, file)
      fchmodSync(file, line.mode)
      futimesSync(file, line.modifiedMs / 1_000, line.modifiedMs / 1_000)
    } finally {
      closeSync(file)
    }
  }

  /** The content of all files but one that is too large to hold. */
  private *fetch(lines: ReadonlyArray<TreeLine>): Work<ReadonlyMap<string, Uint8Array>> {
    const digests = lines.flatMap((line) => (line._tag === "File" && !isStreamed(line) ? line.chunks : []))
    const unique = [...new Set(digests)]
    const chunks = yield* fetched(unique)
    return new Map(unique.map((digest, index) => [digest, chunks[index]!]))
  }

  private clear(name: Name) {
    if (!this.isAgain) return
    try {
      unlinkSync(entryPath(this.here, name))
    } catch (cause) {
      if (codeOf(cause) !== "ENOENT") throw cause
    }
  }

  private moveTo(directory: number) {
    closeSync(this.here)
    this.here = directory
  }
}

const isStreamed = ({ size }: FileLine): boolean => size > batchBytesMax
