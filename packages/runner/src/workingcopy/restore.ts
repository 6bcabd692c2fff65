import { CheckpointError, type TreeLine } from "@troupe/domain/runner/Checkpoint"
import { batchBlobsMax, batchBytesMax } from "./Blobs.ts"
import { isEmpty } from "./descriptors.ts"
import { type DirectoryLine, RestorePlace } from "./RestorePlace.ts"
import type { Root } from "./Root.ts"
import type { Steps } from "./Slices.ts"
import { linesInBlobs, type LineSource, manifestOf, type Wanted } from "./TreeLines.ts"

export interface Restored {
  readonly checkpoint: string
  readonly files: number
  readonly bytes: number
}

/** How far a restore came, kept outside of the directory, so that one that was killed goes on where it was. */
export interface RestoreProgress {
  readonly checkpoint: string
  readonly lines: number
  readonly isDone: boolean
}

export interface RestoreRequest {
  readonly root: Root
  readonly checkpoint: string
  readonly progress: RestoreProgress | null
  readonly record: (progress: RestoreProgress) => void
}

type Work<A> = Steps<A, Wanted>

/** Makes the tree of a checkpoint in an empty directory, or goes on doing so. */
export function* restore({ checkpoint, progress, record, root }: RestoreRequest): Work<Restored> {
  const manifest = yield* manifestOf(checkpoint)
  const restored = { checkpoint, files: manifest.files, bytes: manifest.bytes }
  const begun = progress?.checkpoint === checkpoint ? progress : null
  if (begun?.isDone === true) return restored
  if (begun === null && !isEmpty(root.descriptor)) {
    throw new CheckpointError({ reason: { _tag: "NotEmpty" } })
  }
  let lines = begun?.lines ?? 0
  record({ checkpoint, lines, isDone: false })
  const source = linesInBlobs(manifest)
  const place = new RestorePlace(root, begun !== null)
  try {
    for (const line of yield* openDirectoriesAfter(source, lines)) place.enter(line)
    for (let window = yield* nextLines(source); window.length > 0; window = yield* nextLines(source)) {
      yield* place.apply(window)
      lines += window.length
      record({ checkpoint, lines, isDone: false })
    }
  } finally {
    place.close()
  }
  record({ checkpoint, lines, isDone: true })
  return restored
}

/** Passes lines that were applied before, and gives the directories that are still to be filled. */
function* openDirectoriesAfter(source: LineSource, lines: number): Work<ReadonlyArray<DirectoryLine>> {
  const directories: Array<DirectoryLine> = []
  for (let passed = 0; passed < lines; passed++) {
    const seen = yield* source.read()
    if (seen?.line._tag === "Directory") directories.push(seen.line)
    else if (seen?.line._tag === "Up") directories.pop()
  }
  return directories
}

const linesMax = 4_096

/** Lines whose content is worth a request. A file that is larger than that comes alone. */
function* nextLines(source: LineSource): Work<ReadonlyArray<TreeLine>> {
  const lines: Array<TreeLine> = []
  let bytes = 0
  let blobs = 0
  while (bytes < batchBytesMax && blobs < batchBlobsMax && lines.length < linesMax) {
    const seen = yield* source.read()
    if (seen === null) break
    lines.push(seen.line)
    if (seen.line._tag !== "File") continue
    bytes += seen.line.size
    blobs += seen.line.chunks.length
  }
  return lines
}
