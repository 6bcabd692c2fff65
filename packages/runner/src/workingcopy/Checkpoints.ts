import { CheckpointError, type TreeDiff } from "@troupe/domain/runner/Checkpoint"
import type { FileError } from "@troupe/domain/runner/Files"
import { Clock, Effect } from "effect"
import { closeSync, openSync } from "node:fs"
import type { Store } from "./BlobBatch.ts"
import type { BlobDownload, BlobUpload } from "./Blobs.ts"
import { type CaptureLimits, type Captured, capture as captureSteps } from "./capture.ts"
import * as State from "./CheckpointState.ts"
import { type DiffLimits, diffWith, linesOf } from "./diff.ts"
import { asFileError } from "./failures.ts"
import { readFile } from "./readFile.ts"
import { type Restored, type RestoreProgress, restore as restoreSteps } from "./restore.ts"
import { openRoot, type Root, type RootOptions } from "./Root.ts"
import { attempt, inSlicesServing } from "./Slices.ts"
import { digestOfCheckpoint, linesInFile, noLines, type Wanted } from "./TreeLines.ts"

/** A working copy on this host. */
export interface LiveTree {
  readonly root: RootOptions
  /** A directory of ours, outside of the tree, for what is remembered from one time to the next. */
  readonly state: string
  readonly exclude?: ReadonlyArray<string>
  readonly limits?: Partial<CaptureLimits>
}

const defaultLimits: CaptureLimits = {
  bytesMax: 64 * 1_073_741_824,
  entriesMax: 2_000_000,
  fileBytesMax: 8 * 1_073_741_824
}

const failure = (cause: unknown) => (cause instanceof CheckpointError ? cause : asFileError("", cause))

/**
 * Stores the tree's content and gives the name by which it can be had again. What did not change since the last capture
 * is not read. One at a time for a tree; one that was cut short can simply be done again.
 */
export const capture = Effect.fn("Checkpoints.capture")(function* (
  tree: LiveTree,
  upload: BlobUpload
): Effect.fn.Return<Captured, FileError | CheckpointError> {
  const last = yield* attempt("", () => State.lastIndex(tree.state))
  // Who drops a checkpoint drops its manifest first: while that is there, so is the rest.
  const isStored = last !== null && (yield* upload.missing([digestOfCheckpoint(last.checkpoint)])).length === 0
  const store = Effect.fnUntraced(function* ({ blobs }: Store) {
    const missing = new Set(yield* upload.missing(blobs.map(({ sha256 }) => sha256)))
    const wanted = blobs.filter(({ sha256 }) => missing.has(sha256))
    if (wanted.length > 0) yield* upload.put(wanted)
  })
  const { captured } = yield* Effect.scoped(scan(tree, isStored ? last.path : null, store))
  yield* attempt("", () => State.keepIndex(tree.state, captured.checkpoint))
  return captured
})

/** Goes through the tree and writes its lines into a new index. */
const scan = Effect.fnUntraced(function* <E>(
  tree: LiveTree,
  earlier: string | null,
  store: (request: Store) => Effect.Effect<unknown, E>
) {
  const root = yield* openRoot(tree.root)
  const index = yield* openState(State.newIndex(tree.state), "w+")
  const lines = earlier === null ? noLines : linesInFile(yield* openState(earlier, "r"))
  const limits = { ...defaultLimits, ...tree.limits }
  const clock = yield* Clock.Clock
  const now = () => BigInt(clock.currentTimeMillisUnsafe()) * 1_000_000n
  const request = { root, now, exclude: tree.exclude ?? [], limits, earlier: lines, index }
  const captured = yield* inSlicesServing(() => captureSteps(request), {
    serve: (asked: Store | Wanted) => (asked._tag === "Store" ? store(asked) : Effect.succeed([])),
    failure
  })
  return { captured, root, index }
})

const openState = (path: string, flags: "r" | "w+") =>
  Effect.acquireRelease(
    attempt("", () => openSync(path, flags, 0o600)),
    (file) => Effect.sync(() => closeSync(file))
  )

/**
 * Makes the tree of a checkpoint in an empty directory. One that was cut short goes on where it was; one that is done
 * stays done, whatever became of the tree since.
 */
export const restore = Effect.fn("Checkpoints.restore")(function* (
  { root: options, state }: Pick<LiveTree, "root" | "state">,
  checkpoint: string,
  download: BlobDownload
): Effect.fn.Return<Restored, FileError | CheckpointError> {
  const progress = yield* attempt("", () => State.readProgress(state))
  const record = (progress: RestoreProgress) => State.writeProgress(state, progress)
  return yield* Effect.scoped(
    Effect.flatMap(openRoot(options), (root) =>
      inSlicesServing(() => restoreSteps({ root, checkpoint, progress, record }), {
        serve: (asked: Wanted) => download.get(asked.digests),
        failure
      })
    )
  )
})

/** What changed from one checkpoint to another, or to a tree as it is now. Null is what was there before anything. */
export const diff = Effect.fn("Checkpoints.diff")(function* (
  before: string | null,
  after: string | LiveTree,
  download: BlobDownload,
  limits: Partial<DiffLimits> = {}
): Effect.fn.Return<TreeDiff, FileError | CheckpointError> {
  const service = { serve: (asked: Wanted) => download.get(asked.digests), failure }
  if (typeof after === "string") {
    return yield* inSlicesServing(function* () {
      return yield* diffWith(yield* linesOf(before), yield* linesOf(after), null, limits)
    }, service)
  }
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const last = yield* attempt("", () => State.lastIndex(after.state))
      const { index, root } = yield* scan(after, last?.path ?? null, () => Effect.void)
      return yield* inSlicesServing(function* () {
        return yield* diffWith(yield* linesOf(before), linesInFile(index), reading(root), limits)
      }, service)
    })
  )
})

/** Enough to say how much a turn has done. */
const summaryLimits: DiffLimits = { changesMax: 1_000, fileBytesMax: 262_144, textBytesMax: 1_048_576 }

/** What the last capture of a tree found to be different from a checkpoint, without going through the tree again. */
export const changed = Effect.fn("Checkpoints.changed")(function* (
  before: string | null,
  tree: LiveTree,
  download: BlobDownload
): Effect.fn.Return<TreeDiff, FileError | CheckpointError> {
  const last = yield* attempt("", () => State.lastIndex(tree.state))
  if (last === null) return { changes: [], isComplete: true }
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const root = yield* openRoot(tree.root)
      const lines = linesInFile(yield* openState(last.path, "r"))
      return yield* inSlicesServing(
        function* () {
          return yield* diffWith(yield* linesOf(before), lines, reading(root), summaryLimits)
        },
        { serve: (asked: Wanted) => download.get(asked.digests), failure }
      )
    })
  )
})

const reading = (root: Root) => (path: string) => readFile(root, path).bytes
