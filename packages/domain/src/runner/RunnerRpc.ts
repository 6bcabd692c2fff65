import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { RunnerId, SessionId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { Answer, Ask } from "./Asks.ts"
import {
  AttemptGone,
  AttemptRef,
  AttemptUnknown,
  Delivery,
  EpochRefused,
  Output,
  RunnerAway,
  RunRequest,
  Secret
} from "./Attempt.ts"
import { TreeChange } from "./Checkpoint.ts"
import { Expected, FileInfo, FilePage } from "./Files.ts"
import { HostDirectoryUse } from "../session/HostDirectory.ts"
import { Hello, Load, Verdict } from "./Hello.ts"
import { McpProbed } from "./McpProbed.ts"
import { Versions, VersionRefused } from "./Protocol.ts"
import {
  Captured,
  ExecOutput,
  ExecRequest,
  FileChange,
  FileContent,
  HostDirectory,
  PlaceRef,
  Restored,
  RestoreRequest,
  TerminalOutput,
  TerminalSize,
  WorkplaceError
} from "./Workplace.ts"

const placeErrors = Schema.Union([WorkplaceError, EpochRefused, RunnerAway])

/** A call about a session's place. */
const atPlace = <
  const Tag extends string,
  const Payload extends Schema.Struct.Fields,
  Success extends Schema.Top = Schema.Void
>(
  tag: Tag,
  payload: Payload,
  success?: Success
) =>
  Rpc.make(tag, {
    payload: { place: PlaceRef, ...payload },
    success: (success ?? Schema.Void) as Success,
    error: placeErrors
  })

const path = { path: Schema.String }
const terminal = { terminalId: Schema.String }

/**
 * What a node may ask of a runner. The runner opened the connection, and the node calls. Every stream ends with chunks of
 * bounded size: one that is too large would end the connection for all.
 */
export class RunnerRpc extends RpcGroup.make(
  Rpc.make("Hello", {
    payload: {
      versions: Versions,
      runnerId: RunnerId,
      generation: Schema.Int,
      node: Schema.String,
      /** How long this node has runners work without being heard. Nodes of before do not say. */
      contactLeaseMs: Schema.optionalKey(Schema.Int),
      /** Nodes, addresses of the public and the database, as `host:port`: what no sandbox is to reach. Nodes of before do not say. */
      ours: Schema.optionalKey(Schema.Array(Schema.String))
    },
    success: Hello,
    error: VersionRefused
  }),
  Rpc.make("Settle", { payload: { verdicts: Schema.Array(Verdict) } }),
  Rpc.make("Ping", { payload: { n: Schema.Int }, success: Load }),
  Rpc.make("Drain", { payload: { reason: Schema.String } }),
  /** The sessions that have a place on this runner, whether anything runs there or not. */
  Rpc.make("Places", { success: Schema.Array(SessionId) }),

  Rpc.make("Run", {
    payload: RunRequest,
    success: Output,
    error: Schema.Union([EpochRefused, AttemptGone, RunnerAway]),
    stream: true
  }),
  Rpc.make("Attach", {
    payload: { attempt: AttemptRef, afterFrame: Schema.Int },
    success: Output,
    error: Schema.Union([AttemptUnknown, EpochRefused, AttemptGone, RunnerAway]),
    stream: true
  }),
  /** Frames up to `frame` are in the log, and the signs of life up to `contact` were heard. Repeats are harmless. */
  Rpc.make("Acknowledge", {
    payload: { attempt: AttemptRef, frame: Schema.Int, contact: Schema.Int },
    error: RunnerAway
  }),
  Rpc.make("Deliver", {
    payload: { attempt: AttemptRef, delivery: Delivery },
    error: Schema.Union([AttemptUnknown, EpochRefused, RunnerAway])
  }),
  Rpc.make("Revoke", { payload: { attempt: AttemptRef }, error: RunnerAway }),
  Rpc.make("RefreshSecret", {
    payload: { attempt: AttemptRef, secret: Secret },
    error: Schema.Union([AttemptUnknown, EpochRefused, RunnerAway])
  }),

  /** Tries to reach the model of a card, as a run would. Nothing of the card is kept. */
  Rpc.make("ProbeModel", {
    payload: { card: Schema.Redacted(Schema.String) },
    success: Schema.Struct({
      usable: Schema.Boolean,
      notes: Schema.Array(Schema.String),
      models: Schema.Array(Schema.String)
    }),
    error: RunnerAway
  }),
  /** Asks an MCP server what it has, as a turn would. Nothing of it is kept, and nothing stays connected. */
  Rpc.make("ProbeMcpServer", {
    payload: { server: JsonObject, secret: Schema.NullOr(Schema.Redacted(Schema.String)) },
    success: McpProbed,
    error: RunnerAway
  }),

  Rpc.make("Asks", { success: Ask, error: RunnerAway, stream: true }),
  Rpc.make("AnswerAsk", { payload: { askId: Schema.String, answer: Answer }, error: RunnerAway }),

  Rpc.make("Exec", { payload: ExecRequest, success: ExecOutput, error: placeErrors, stream: true }),
  atPlace("OpenTerminal", { size: TerminalSize, cwd: Schema.NullOr(Schema.String) }, Schema.Struct(terminal)),
  Rpc.make("ReadTerminal", {
    payload: { place: PlaceRef, ...terminal, after: Schema.Int },
    success: TerminalOutput,
    error: placeErrors,
    stream: true
  }),
  atPlace("WriteTerminal", { ...terminal, bytes: Schema.Uint8Array }),
  atPlace("ResizeTerminal", { ...terminal, size: TerminalSize }),
  atPlace("CloseTerminal", terminal),

  atPlace("ListFiles", { ...path, after: Schema.NullOr(Schema.String), limit: Schema.Int }, FilePage),
  Rpc.make("ReadFile", {
    payload: { place: PlaceRef, ...path, offset: Schema.Int, length: Schema.NullOr(Schema.Int) },
    success: Schema.Uint8Array,
    error: placeErrors,
    stream: true
  }),
  atPlace("WriteFile", { ...path, content: FileContent, expected: Schema.NullOr(Expected) }, FileInfo),
  atPlace("DeleteFile", { ...path, recursive: Schema.Boolean }),
  Rpc.make("WatchFiles", {
    payload: { place: PlaceRef, ...path },
    success: FileChange,
    error: placeErrors,
    stream: true
  }),
  /** What changed in the working copy since a checkpoint, or between two. Null: nothing, and now. */
  Rpc.make("Diff", {
    payload: { place: PlaceRef, from: Schema.NullOr(Schema.String), to: Schema.NullOr(Schema.String) },
    success: TreeChange,
    error: placeErrors,
    stream: true
  }),
  atPlace("Capture", {}, Captured),
  Rpc.make("Restore", { payload: RestoreRequest, success: Restored, error: placeErrors }),
  atPlace("Destroy", { reason: Schema.String }),

  /** Directories of the runner's own host, below the roots that its owner allowed. */
  Rpc.make("Browse", {
    payload: { path: Schema.NullOr(Schema.String) },
    success: Schema.Array(HostDirectory),
    error: Schema.Union([WorkplaceError, RunnerAway])
  }),
  Rpc.make("RegisterDirectory", {
    payload: { ...path, use: HostDirectoryUse },
    success: HostDirectory,
    error: Schema.Union([WorkplaceError, RunnerAway])
  })
) {}
