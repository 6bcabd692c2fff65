import { Schema } from "effect"
import { FileKind } from "./Files.ts"

export const Sha256Hex = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/** Names a checkpoint of a working copy: the digest of its manifest, which holds the digests of all the rest. */
export const CheckpointName = Schema.String.check(Schema.isPattern(/^sha256:[0-9a-f]{64}$/))
export type CheckpointName = typeof CheckpointName.Type

/** One part of a path. Bytes that are no UTF-8 are written `\xHH`, as in `FileInfo`. */
const EntryName = Schema.String.check(Schema.isPattern(/^(?!\.{1,2}$)[^/\0]{1,1020}$/))
const Mode = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0o777 }))
const Size = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * A line of a tree. Lines come in the order of the names' bytes; a directory's content follows it, up to the line that
 * goes back up. A path is never written whole, so a deep tree takes no more room than a flat one.
 */
export const TreeLine = Schema.TaggedUnion({
  Directory: { name: EntryName, mode: Mode },
  Up: {},
  File: { name: EntryName, mode: Mode, size: Size, modifiedMs: Schema.Int, chunks: Schema.Array(Sha256Hex) },
  Symlink: { name: EntryName, target: Schema.String }
})
export type TreeLine = typeof TreeLine.Type

/** What is in the working copy and not in its checkpoint. */
export const LeftOut = Schema.Struct({
  path: Schema.String,
  why: Schema.Literals(["special", "denied", "tooLarge", "lost", "changing"])
})
export type LeftOut = typeof LeftOut.Type

export const TreeManifest = Schema.Struct({
  format: Schema.Literal("troupe-tree/1"),
  files: Schema.Int,
  bytes: Schema.Int,
  /** The lines, cut where their content says, so that a small change of a large tree changes few of them. */
  chunks: Schema.Array(Sha256Hex),
  leftOut: Schema.Array(LeftOut),
  leftOutCount: Schema.Int
})
export type TreeManifest = typeof TreeManifest.Type

/** The largest piece a file is cut into. */
export const chunkBytesMax = 1_048_576

export const TreeChange = Schema.Struct({
  path: Schema.String,
  change: Schema.Literals(["added", "removed", "changed", "retyped"]),
  before: Schema.NullOr(Schema.Struct({ kind: FileKind, size: Schema.Int, mode: Schema.Int })),
  after: Schema.NullOr(Schema.Struct({ kind: FileKind, size: Schema.Int, mode: Schema.Int })),
  /** A unified diff; null where the content is no text, or too much of it. */
  text: Schema.NullOr(Schema.String)
})
export type TreeChange = typeof TreeChange.Type

export const TreeDiff = Schema.Struct({
  changes: Schema.Array(TreeChange),
  /** False where there are more changes than were asked for. */
  isComplete: Schema.Boolean
})
export type TreeDiff = typeof TreeDiff.Type

export const CheckpointTrouble = Schema.TaggedUnion({
  /** A blob that the checkpoint needs is not there. */
  Missing: { sha256: Schema.String },
  Corrupt: { sha256: Schema.String, detail: Schema.String },
  TooLarge: { limit: Schema.String, max: Schema.Int },
  /** The directory holds something that is not from a restore of this checkpoint. */
  NotEmpty: {},
  /** The store of blobs did not do its part; trying again may help. */
  Unavailable: { detail: Schema.String }
})

export class CheckpointError extends Schema.TaggedError<CheckpointError>()("CheckpointError", {
  reason: CheckpointTrouble
}) {
  override get message() {
    const { reason } = this
    const detail = "detail" in reason ? `: ${reason.detail}` : "sha256" in reason ? `: ${reason.sha256}` : ""
    return `Checkpoint: ${reason._tag}${detail}`
  }
}
