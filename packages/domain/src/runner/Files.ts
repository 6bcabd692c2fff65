import { Schema } from "effect"

export const FileKind = Schema.Literals(["file", "directory", "symlink", "fifo", "socket", "device"])
export type FileKind = typeof FileKind.Type

/** Why a file operation was refused or failed. */
export const FileTrouble = Schema.TaggedUnion({
  NotFound: {},
  NotAFile: { found: FileKind },
  NotADirectory: {},
  /** The path, or a symbolic link on it, leads out of the directory that is served. */
  Outside: {},
  TooLarge: { bytes: Schema.Int, bytesMax: Schema.Int },
  BadPath: { detail: Schema.String },
  Exists: {},
  NotEmpty: {},
  NoSpace: {},
  Denied: { detail: Schema.String },
  /** What is there is not what the caller expected, or it changed while it was used. */
  Stale: { detail: Schema.String },
  /** This host or runtime lacks what safe access needs. There is no weaker way. */
  Unsupported: { detail: Schema.String },
  Failed: { code: Schema.String }
})
export type FileTrouble = typeof FileTrouble.Type

export class FileError extends Schema.TaggedError<FileError>()("FileError", {
  path: Schema.String,
  reason: FileTrouble,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    const { reason } = this
    const detail = "detail" in reason ? `: ${reason.detail}` : "code" in reason ? `: ${reason.code}` : ""
    return `${this.path}: ${reason._tag}${detail}`
  }
}

/**
 * What is known of a file without reading it. In `path` and `target`, bytes that are no UTF-8 are written `\xHH`; such a
 * path names the same file when it is sent back.
 */
export const FileInfo = Schema.Struct({
  path: Schema.String,
  kind: FileKind,
  size: Schema.Int,
  /** Permission bits. */
  mode: Schema.Int,
  modifiedMs: Schema.Int,
  /** Differs whenever the file was replaced or written. */
  version: Schema.String,
  target: Schema.optionalKey(Schema.String)
})
export type FileInfo = typeof FileInfo.Type

/** Entries of a directory in the order of their names' bytes. `next` is what to pass as `after` for the page that follows. */
export const FilePage = Schema.Struct({
  entries: Schema.Array(FileInfo),
  next: Schema.NullOr(Schema.String)
})
export type FilePage = typeof FilePage.Type

/** What a writer believes is there; where it is not, nothing is written and the reason is `Stale`. */
export const Expected = Schema.TaggedUnion({
  Absent: {},
  Version: { version: Schema.String },
  Sha256: { sha256: Schema.String }
})
export type Expected = typeof Expected.Type
