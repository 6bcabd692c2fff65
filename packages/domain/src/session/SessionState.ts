import { Schema } from "effect"
import {
  AgentId,
  AttemptId,
  EnvironmentId,
  EventId,
  ModelRequestId,
  ResourceId,
  RunnerId,
  SandboxId,
  SessionId,
  ThreadId,
  TimerId,
  TurnId,
  WorkspaceId
} from "../Ids.ts"
import { Json, JsonObject } from "../Json.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { Budget } from "./Budget.ts"
import { Content } from "./Content.ts"
import { TurnOverrides } from "./Input.ts"
import { Lifecycle, Metadata, Origin } from "./Opening.ts"
import { ErrorInfo, StopReason } from "./Status.ts"
import { Totals, Usage } from "./Usage.ts"

/** Raise it with every change of `evolve` or of a shape here: snapshots of another version are not read. */
export const foldVersion = 9

export const Message = Schema.Struct({
  inputId: EventId,
  turnId: TurnId,
  /** The thread that it comes from; absent where it comes from outside. */
  from: Schema.optionalKey(ThreadId),
  content: Content,
  overrides: TurnOverrides
})
export type Message = typeof Message.Type

export const QueuedTurn = Schema.Struct({ ...Message.fields, needsApproval: Schema.Boolean })
export type QueuedTurn = typeof QueuedTurn.Type

/** A system message that takes its place behind an input which is not taken up yet. */
export const SystemMessage = Schema.Struct({ inputId: EventId, follows: EventId, content: Content })
export type SystemMessage = typeof SystemMessage.Type

/** A tool call without an outcome. */
export const Call = Schema.Struct({
  callId: EventId,
  name: Schema.String,
  server: Schema.NullOr(Schema.String),
  executor: Schema.Literals(["sandbox", "mcp", "function", "client", "worker", "platform"]),
  readOnly: Schema.Boolean,
  idempotent: Schema.Boolean,
  /** What somebody outside still owes it. */
  awaits: Schema.Literals(["nothing", "confirmation", "result", "answer"]),
  /** What a person is asked, where an answer is awaited. */
  question: Schema.NullOr(JsonObject),
  status: Schema.Literals(["requested", "approved", "denied", "expired", "started"]),
  message: Schema.NullOr(Schema.String),
  /** Set once approved with other arguments: what runs must hash to this. */
  inputDigest: Sha256Hex,
  editedInput: Schema.NullOr(Json),
  expiresAt: Schema.NullOr(Schema.Int),
  /** The running call on whose behalf it asks people. */
  within: Schema.optionalKey(EventId)
})
export type Call = typeof Call.Type

/** What is going on inside a turn. */
export const Phase = Schema.TaggedUnion({
  /** An attempt is due, at once or not before a time. */
  Placing: { notBefore: Schema.NullOr(Schema.Int), waiting: Schema.NullOr(Schema.String) },
  Working: {
    attemptId: AttemptId,
    runnerId: RunnerId,
    /** The last frame of this attempt in the log. */
    frame: Schema.Int,
    startedAt: Schema.Int
  },
  Suspended: { reason: Schema.Literals(["requires_action", "budget", "paused"]) },
  /** Calls of unknown outcome: a person says whether to try again. */
  Deciding: { callIds: Schema.Array(EventId), error: ErrorInfo }
})
export type Phase = typeof Phase.Type

export const Turn = Schema.Struct({
  turnId: TurnId,
  overrides: TurnOverrides,
  phase: Phase,
  attempts: Schema.Int,
  failures: Schema.Int,
  calls: Schema.Array(Call),
  /** Calls of this attempt that may or may not have happened, and would matter if repeated. */
  doubts: Schema.Array(EventId),
  requests: Schema.Array(Schema.Struct({ requestId: ModelRequestId, estimate: Usage })),
  /** Those that have not ended, in the order in which they began. */
  subagents: Schema.Array(Schema.Struct({ subagentId: EventId, callId: Schema.NullOr(EventId) })),
  /** What people answered to calls that run, for the runner to be told while they do. */
  answers: Schema.optionalKey(Schema.Array(Schema.Struct({ callId: EventId, within: EventId, answer: Json }))),
  /** Steers that no model request has seen yet. */
  steers: Schema.Array(Message),
  interrupt: Schema.NullOr(Schema.Struct({ inputIds: Schema.Array(EventId), deadline: Schema.Int })),
  totals: Totals,
  /** Its own limits that were announced as reached, and the soft ones a person let pass. */
  announced: Schema.Array(Schema.String),
  acknowledged: Schema.Array(Schema.String)
})
export type Turn = typeof Turn.Type

export const Thread = Schema.Struct({
  threadId: ThreadId,
  name: Schema.String,
  parentThreadId: Schema.NullOr(ThreadId),
  /** Of the agent that it runs from its next turn on. */
  agentDigest: Sha256Hex,
  archived: Schema.Boolean,
  /** Messages received and not yet placed: as a turn or as a steer, by the next event of the same append. */
  inbox: Schema.Array(Message),
  queue: Schema.Array(QueuedTurn),
  systemMessages: Schema.Array(SystemMessage),
  queueVersion: Schema.Int,
  turn: Schema.NullOr(Turn),
  /** Why the last turn ended. */
  stop: StopReason,
  /** How the last turn ended. */
  last: Schema.NullOr(Schema.Literals(["completed", "interrupted", "failed"])),
  /** The turn that failed last, for a retry that adds to its sums; other turns may have come since. */
  failed: Schema.NullOr(Turn),
  /** A turn that failed and is to be tried again before anything of the queue. */
  retry: Schema.NullOr(Turn),
  /** The attempt that ended last, its last frame, and whether frames that came too late for it were recorded. */
  ended: Schema.NullOr(Schema.Struct({ attemptId: AttemptId, frame: Schema.Int, lateRecorded: Schema.Boolean }))
})
export type Thread = typeof Thread.Type

/** An open session. Small on purpose: the conversation is in the log, not here. */
export const OpenSession = Schema.TaggedStruct("Open", {
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  primary: ThreadId,
  agent: Schema.Struct({ agentId: AgentId, version: Schema.Int, digest: Sha256Hex, model: Schema.String }),
  environmentId: Schema.NullOr(EnvironmentId),
  origin: Origin,
  createdBy: Schema.String,
  createdAt: Schema.Int,
  projectId: Schema.NullOr(Schema.String),
  deploymentId: Schema.NullOr(Schema.String),
  endUser: Schema.NullOr(Schema.String),
  externalThreadKey: Schema.NullOr(Schema.String),
  visibility: Schema.Literals(["private", "workspace", "link"]),
  lifecycle: Lifecycle,
  title: Schema.NullOr(Schema.String),
  metadata: Metadata,
  labels: Schema.Array(Schema.String),
  ended: Schema.NullOr(Schema.Literals(["archived", "deleted"])),
  endedAt: Schema.NullOr(Schema.Int),
  /** When it was last opened, changed, or came to rest. */
  activeAt: Schema.Int,
  paused: Schema.Boolean,
  threads: Schema.Array(Thread),
  totals: Totals,
  budget: Budget,
  /** Limits of the session that were announced as reached, and the soft ones a person let pass. */
  announced: Schema.Array(Schema.String),
  acknowledged: Schema.Array(Schema.String),
  turns: Schema.Int,
  sandbox: Schema.NullOr(
    Schema.Struct({ sandboxId: SandboxId, runnerId: Schema.String, backend: Schema.String, live: Schema.Boolean })
  ),
  checkpoint: Schema.NullOr(Schema.String),
  /** What each one is, the log says. */
  resources: Schema.Array(ResourceId),
  grants: Schema.Array(Schema.String),
  timers: Schema.Array(Schema.Struct({ timerId: TimerId, dueAt: Schema.Int })),
  forks: Schema.Array(Schema.Struct({ childId: SessionId, seq: Schema.Int })),
  redactions: Schema.Array(Schema.Int),
  /** The statuses last recorded, as text, to record the next change. */
  shown: Schema.Struct({ session: Schema.String, threads: Schema.Record(Schema.String, Schema.String) })
})
export type OpenSession = typeof OpenSession.Type

export const SessionState = Schema.Union([Schema.TaggedStruct("NotOpened", {}), OpenSession])
export type SessionState = typeof SessionState.Type

export const initial: SessionState = { _tag: "NotOpened" }
