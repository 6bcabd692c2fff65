import type { TreeChange, TreeDiff } from "@troupe/domain/runner/Checkpoint"
import { FileError } from "@troupe/domain/runner/Files"
import { isUtf8 } from "node:buffer"
import { type Difference, diffTrees } from "./diffTrees.ts"
import type { Steps } from "./Slices.ts"
import { fetched, linesInBlobs, type LineSource, manifestOf, type Wanted } from "./TreeLines.ts"
import { unifiedDiff } from "./unifiedDiff.ts"

export interface DiffLimits {
  readonly changesMax: number
  /** A file that is larger has no text. */
  readonly fileBytesMax: number
  /** All texts together. */
  readonly textBytesMax: number
}

const defaults: DiffLimits = { changesMax: 10_000, fileBytesMax: 524_288, textBytesMax: 4 * 1_048_576 }

/** Reads a file of a live tree. */
type ReadLive = (path: string) => Uint8Array

/** Of a checkpoint; null has none. */
export function* linesOf(checkpoint: string | null): Steps<LineSource, Wanted> {
  return linesInBlobs(checkpoint === null ? { chunks: [] } : yield* manifestOf(checkpoint))
}

export function* diffWith(
  before: LineSource,
  after: LineSource,
  live: ReadLive | null,
  limits: Partial<DiffLimits>
): Steps<TreeDiff, Wanted> {
  const { changesMax, fileBytesMax, textBytesMax } = { ...defaults, ...limits }
  const { changes: differences, isComplete } = yield* diffTrees(before, after, changesMax)
  const changes: Array<TreeChange> = []
  let room = textBytesMax
  for (const difference of differences) {
    const text = room > 0 ? yield* textOf(difference, live, Math.min(fileBytesMax, room)) : null
    const fits = text !== null && text.length <= room
    if (fits) room -= text.length
    changes.push({ ...difference.change, text: fits ? text : null })
    yield
  }
  return { changes, isComplete }
}

function* textOf(
  { after, before, change }: Difference,
  live: ReadLive | null,
  bytesMax: number
): Steps<string | null, Wanted> {
  const [a, b] = [fileOf(before), fileOf(after)]
  if ((a === null && b === null) || (a?.size ?? 0) > bytesMax || (b?.size ?? 0) > bytesMax) return null
  const old = a === null ? null : asText(Buffer.concat(yield* fetched(a.chunks)))
  if (old === undefined) return null
  const current =
    b === null ? null : asText(live === null ? Buffer.concat(yield* fetched(b.chunks)) : look(live, change.path))
  return current === undefined ? null : unifiedDiff(change.path, old, current)
}

const fileOf = (entry: Difference["before"]) => (entry?._tag === "File" ? entry : null)

/** Undefined where the bytes are no text that a person would read. */
const asText = (bytes: Uint8Array | undefined): string | undefined =>
  bytes !== undefined && isUtf8(bytes) && !bytes.includes(0) ? Buffer.from(bytes).toString() : undefined

/** The tree goes on changing; what can't be read any more has no text. */
const look = (live: ReadLive, path: string): Uint8Array | undefined => {
  try {
    return live(path)
  } catch (cause) {
    if (cause instanceof FileError) return undefined
    throw cause
  }
}
