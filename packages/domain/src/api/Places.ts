import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { RunnerId, SessionId } from "../Ids.ts"
import { CheckpointName, TreeChange } from "../runner/Checkpoint.ts"
import { FileKind } from "../runner/Files.ts"
import { anyFailure } from "./ApiError.ts"
import { File } from "./Files.ts"
import { longPageQuery, Page } from "./Page.ts"

const of = { id: SessionId }
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const fromNumber = (range: ReturnType<typeof between>) => Schema.optionalKey(range)

/** As a program is told it: no NUL ends it early. */
const Argument = Schema.String.check(Schema.isPattern(/^[^\0]{0,131072}$/))
const Path = Schema.String.check(Schema.isPattern(/^[^\0]{1,4096}$/))
const Variables = Schema.Record(Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)), Argument)

export const outputBytesMax = 1_048_576
const timeoutMsDefault = 120_000
const timeoutMsMax = 3_600_000

/** A program at the session's place, run by a person: its words, or a line for the shell. */
export const ExecIn = Schema.Struct({
  command: Schema.Union([Argument.check(Schema.isMinLength(1)), Schema.NonEmptyArray(Argument)]),
  cwd: Schema.optionalKey(Path),
  env: Schema.optionalKey(Variables),
  timeout_ms: Schema.optionalKey(between(1, timeoutMsMax)),
  stdin: Schema.optionalKey(Schema.String)
})
export type ExecIn = typeof ExecIn.Type
export const timeoutOf = ({ timeout_ms }: ExecIn): number => timeout_ms ?? timeoutMsDefault

export const ExecEnding = Schema.Struct({
  type: Schema.Literals(["exited", "signalled", "timed_out", "out_of_memory", "out_of_disk", "killed"]),
  exit_code: Schema.NullOr(Schema.Int),
  message: Schema.NullOr(Schema.String)
})
export type ExecEnding = typeof ExecEnding.Type

export const exec = HttpApiEndpoint.post("exec", "/v1/sessions/:id/exec", {
  params: of,
  payload: ExecIn,
  success: Schema.Struct({
    type: Schema.Literal("exec_result"),
    /** Bytes that are no UTF-8 are replaced. Of each, the first megabyte. */
    stdout: Schema.String,
    stderr: Schema.String,
    truncated: Schema.Boolean,
    ending: ExecEnding
  }),
  error: anyFailure
})

/** The same as it comes: events `stdout` and `stderr` with base64 in `data`, and `ended` at the end. */
export const execStream = HttpApiEndpoint.post("execStream", "/v1/sessions/:id/exec/stream", {
  params: of,
  payload: ExecIn,
  success: Schema.String,
  error: anyFailure
})

/** A WebSocket: `docs/places.md` has its frames. */
export const terminal = HttpApiEndpoint.get("terminal", "/v1/sessions/:id/terminal", {
  params: of,
  query: {
    terminal_id: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(128))),
    after: fromNumber(between(0, Number.MAX_SAFE_INTEGER)),
    columns: fromNumber(between(1, 1_000)),
    rows: fromNumber(between(1, 1_000)),
    cwd: Schema.optionalKey(Path)
  },
  success: Schema.Void,
  error: anyFailure
})

export const FileEntry = Schema.Struct({
  type: Schema.Literal("file_entry"),
  path: Schema.String,
  kind: FileKind,
  size_bytes: Schema.Int,
  /** Permission bits. */
  mode: Schema.Int,
  modified_at: Schema.String,
  /** Another one whenever the file was written or replaced. */
  version: Schema.String,
  target: Schema.NullOr(Schema.String)
}).annotate({ identifier: "FileEntry" })
export type FileEntry = typeof FileEntry.Type

export const listFiles = HttpApiEndpoint.get("listWorkingFiles", "/v1/sessions/:id/files", {
  params: of,
  query: { ...longPageQuery, path: Schema.optionalKey(Path) },
  success: Page(FileEntry),
  error: anyFailure
})
const named = { path: Path }
/** The bytes themselves. One `Range` is taken. */
export const readFile = HttpApiEndpoint.get("readWorkingFile", "/v1/sessions/:id/files/content", {
  params: of,
  query: named,
  success: Schema.String,
  error: anyFailure
})
/** The body is the new content. `If-Match` names the version that it replaces, `If-None-Match: *` says that there is none. */
export const writeFile = HttpApiEndpoint.put("writeWorkingFile", "/v1/sessions/:id/files/content", {
  params: of,
  query: named,
  success: FileEntry,
  error: anyFailure
})
export const deleteFile = HttpApiEndpoint.delete("deleteWorkingFile", "/v1/sessions/:id/files", {
  params: of,
  query: { ...named, recursive: Schema.optionalKey(Schema.Literals(["true", "false"])) },
  success: Schema.Struct({ type: Schema.Literal("working_file_deleted"), path: Schema.String }),
  error: anyFailure
})
/** `filename`: what it is called then, where that is not its own name. */
export const Promotion = Schema.Struct({ path: Path, filename: Schema.optionalKey(Schema.String) })
export type Promotion = typeof Promotion.Type
/** Makes a file of the session of what is there now: it is kept as those are that its agent leaves as outputs. */
export const promoteFile = HttpApiEndpoint.post("promoteWorkingFile", "/v1/sessions/:id/files/promote", {
  params: of,
  payload: Promotion,
  success: File,
  error: anyFailure
})
/** What changes below a directory, as it does: events `added`, `changed`, `deleted`, and `rescan` where some were missed. */
export const watchFiles = HttpApiEndpoint.get("watchWorkingFiles", "/v1/sessions/:id/files/watch", {
  params: of,
  query: { path: Schema.optionalKey(Path) },
  success: Schema.String,
  error: anyFailure
})

/** What is different in the working copy: since a checkpoint or since it was empty, up to another one or to now. */
export const changes = HttpApiEndpoint.get("listChanges", "/v1/sessions/:id/changes", {
  params: of,
  query: { from: Schema.optionalKey(CheckpointName), to: Schema.optionalKey(CheckpointName) },
  success: Schema.Struct({
    data: Schema.Array(TreeChange),
    /** There are more changes than an answer holds. */
    truncated: Schema.Boolean
  }),
  error: anyFailure
})

export const HostDirectory = Schema.Struct({
  type: Schema.Literal("host_directory"),
  path: Schema.String,
  name: Schema.String,
  registered: Schema.Boolean
}).annotate({ identifier: "HostDirectory" })

/** Directories of a runner's own host, below the roots that its owner allowed. */
export const browse = HttpApiEndpoint.get("browseRunner", "/v1/runners/:id/directories", {
  params: { id: RunnerId },
  query: { ...longPageQuery, path: Schema.optionalKey(Path) },
  success: Page(HostDirectory),
  error: anyFailure
})
export const registerDirectory = HttpApiEndpoint.post("registerDirectory", "/v1/runners/:id/directories", {
  params: { id: RunnerId },
  payload: Schema.Struct({ path: Path, use: Schema.Literals(["in_place", "copy"]) }),
  success: HostDirectory,
  error: anyFailure
})

export const group = HttpApiGroup.make("places").add(
  exec,
  execStream,
  terminal,
  listFiles,
  readFile,
  writeFile,
  deleteFile,
  promoteFile,
  watchFiles,
  changes,
  browse,
  registerDirectory
)
