import { Option, Schema } from "effect"
import { FileId } from "../Ids.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import type { Resource } from "./Opening.ts"

/** Where a sandbox sees what its session was given. Nothing there can be written. */
export const uploadsPath = "/mnt/session/uploads"

/** Where an agent leaves what it made: what is there at a turn's end becomes files. */
export const outputsPath = "/mnt/session/outputs"

/** What is kept of a file that a session was given: enough to have its content without asking for the file. */
export const FileSpec = Schema.Struct({
  /** The session's own copy, which lives as long as the session has it. */
  file_id: FileId,
  mount_path: Schema.String,
  sha256: Sha256Hex,
  size_bytes: Schema.Int,
  /** Milliseconds since 1970. */
  added_at: Schema.Int,
  /** An archive, with whose content the working copy begins. */
  unpack: Schema.optionalKey(Schema.Literal(true))
})
export type FileSpec = typeof FileSpec.Type

const decode = Schema.decodeUnknownOption(FileSpec)

/** What a resource says of its file; null of another one, and of one that was redacted. */
export const fileSpecOf = ({ spec, type }: Resource): FileSpec | null =>
  type === "file" ? Option.getOrNull(decode(spec)) : null
