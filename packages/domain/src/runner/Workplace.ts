import { Schema } from "effect"
import { SandboxId, SessionId, WorkspaceId } from "../Ids.ts"
import { EnvironmentSnapshot, Resource } from "../session/Opening.ts"
import { BlobRef } from "../session/Content.ts"

/** A session's place on a runner: its sandbox and its working copy. `epoch` fences as it does for attempts. */
export const PlaceRef = Schema.Struct({
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  epoch: Schema.Int,
  /** Opens the node's door for this session's blobs, to this runner alone. */
  ticket: Schema.String
})
export type PlaceRef = typeof PlaceRef.Type

const Dimensions = { columns: Schema.Int, rows: Schema.Int }

export const ExecRequest = Schema.Struct({
  place: PlaceRef,
  command: Schema.NonEmptyArray(Schema.String),
  cwd: Schema.NullOr(Schema.String),
  variables: Schema.Record(Schema.String, Schema.String),
  timeoutMs: Schema.NullOr(Schema.Int),
  /** All of it, at once: whoever wants to talk opens a terminal. */
  input: Schema.NullOr(Schema.Uint8Array)
})
export type ExecRequest = typeof ExecRequest.Type

export const Ending = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Exited"), code: Schema.Int }),
  Schema.Struct({ _tag: Schema.Literal("Signalled"), signal: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("TimedOut"), afterMs: Schema.Int }),
  Schema.Struct({ _tag: Schema.Literals(["OutOfMemory", "OutOfDisk"]) }),
  Schema.Struct({ _tag: Schema.Literal("Killed"), reason: Schema.String })
])
export type Ending = typeof Ending.Type

export const ExecOutput = Schema.Union([
  Schema.Struct({
    _tag: Schema.Literal("Output"),
    stream: Schema.Literals(["stdout", "stderr"]),
    bytes: Schema.Uint8Array
  }),
  Schema.Struct({ _tag: Schema.Literal("Ended"), ending: Ending })
])
export type ExecOutput = typeof ExecOutput.Type

export const TerminalSize = Schema.Struct(Dimensions)

/** What a terminal showed, from a byte offset on: whoever comes back asks for what it has not seen. */
export const TerminalOutput = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Output"), offset: Schema.Int, bytes: Schema.Uint8Array }),
  Schema.Struct({ _tag: Schema.Literal("Ended"), ending: Ending })
])
export type TerminalOutput = typeof TerminalOutput.Type

/** What is written to a file: short content as it is, long content as the blob that holds it. */
export const FileContent = Schema.Union([Schema.Uint8Array, BlobRef])

export const FileChange = Schema.Struct({
  path: Schema.String,
  kind: Schema.Literals(["added", "changed", "deleted", "rescan"])
})
export type FileChange = typeof FileChange.Type

export const Captured = Schema.Struct({ checkpoint: Schema.String, bytes: Schema.Int, files: Schema.Int })
export type Captured = typeof Captured.Type

export const RestoreRequest = Schema.Struct({
  place: PlaceRef,
  environment: Schema.NullOr(EnvironmentSnapshot),
  resources: Schema.Array(Resource),
  /** Null: an empty working copy. */
  checkpoint: Schema.NullOr(Schema.String)
})
export type RestoreRequest = typeof RestoreRequest.Type

export const Restored = Schema.Struct({
  sandboxId: SandboxId,
  backend: Schema.String,
  isolation: Schema.String,
  /** Whether it was there already. */
  found: Schema.Boolean
})

export const HostDirectory = Schema.Struct({ path: Schema.String, name: Schema.String, registered: Schema.Boolean })

/** What a runner would not or could not do at a session's place, by an open code. */
export class WorkplaceError extends Schema.TaggedError<WorkplaceError>()("WorkplaceError", {
  code: Schema.String,
  detail: Schema.String,
  field: Schema.NullOr(Schema.String)
}) {
  override get message() {
    return this.field === null ? `${this.code}: ${this.detail}` : `${this.code} (${this.field}): ${this.detail}`
  }
}
