import { Schema } from "effect"
import { Actor } from "../Actor.ts"
import { AttemptId, CommandId, EventId, RunnerId, SessionId, ThreadId, TimerId, TurnId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { Limits } from "../Limits.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { Budget } from "./Budget.ts"
import { Content } from "./Content.ts"
import { lifecycle } from "./events/lifecycle.ts"
import { Digests } from "./events/turns.ts"
import { Frame } from "./Frame.ts"
import { Input, TurnOverrides } from "./Input.ts"
import { opening } from "./Opening.ts"
import { ReservedEvent } from "./SessionEvent.ts"

const Inputs = Schema.Array(Input).check(Schema.isMaxLength(Limits.inputsPerCommandMax))

/** A queue command names the version it saw, or null to act on whatever is there. */
const queued = { turnId: TurnId, queueVersion: Schema.NullOr(Schema.Int) }

/** What clients ask for. */
export const clientCommands = {
  Open: {
    ...opening,
    policies: Schema.optionalKey(lifecycle.PoliciesChanged.policies),
    history: Schema.Array(JsonObject),
    inputs: Inputs
  },
  Send: { inputs: Inputs.check(Schema.isMinLength(1)) },
  EditTurn: {
    ...queued,
    content: Schema.optionalKey(Content),
    overrides: Schema.optionalKey(TurnOverrides)
  },
  MoveTurn: { ...queued, before: Schema.NullOr(TurnId) },
  WithdrawTurn: queued,
  ApproveTurn: queued,
  /** Lets a queued turn's message join the running turn instead. */
  SteerTurn: queued,
  RetryTurn: { turnId: TurnId },
  Pause: {},
  Resume: {},
  Update: {
    title: lifecycle.SessionUpdated.title,
    /** Keys to set, or null to take away; others stay. */
    metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
    labels: lifecycle.SessionUpdated.labels,
    visibility: lifecycle.SessionUpdated.visibility
  },
  /** No thread named: all of them. */
  Reconfigure: { threadId: Schema.NullOr(ThreadId), changes: JsonObject, digest: Sha256Hex },
  AddResource: lifecycle.ResourceAdded,
  RemoveResource: lifecycle.ResourceRemoved,
  RefreshResource: lifecycle.ResourceRefreshed,
  ChangeBudget: { budget: Budget },
  ChangePolicies: lifecycle.PoliciesChanged,
  OpenThread: lifecycle.ThreadOpened,
  ArchiveThread: { threadId: ThreadId },
  /** A thread tells another one something, which makes a turn there. */
  MessageThread: { fromThreadId: ThreadId, threadId: ThreadId, turnId: TurnId, messageId: EventId, content: Content },
  SetTimer: lifecycle.TimerSet,
  CancelTimer: { timerId: TimerId },
  NoteFork: { childId: SessionId, seq: Schema.Int },
  RequestRedaction: {
    seqs: Schema.Array(Schema.Int).check(Schema.isMinLength(1), Schema.isMaxLength(Limits.redactedAtOnceMax)),
    reason: Schema.String,
    replacements: Schema.Array(Sha256Hex)
  },
  Archive: {},
  Delete: {}
} as const

/** What the node and its runners report. They need no receipts: repeated, they are refused by the state. */
export const innerCommands = {
  StartAttempt: {
    threadId: ThreadId,
    turnId: TurnId,
    attemptId: AttemptId,
    runnerId: RunnerId,
    digests: Digests
  },
  NoteWaiting: { threadId: ThreadId, turnId: TurnId, reason: Schema.String },
  RecordFrames: { attemptId: AttemptId, frames: Schema.Array(Frame).check(Schema.isMinLength(1)) },
  LoseAttempt: { attemptId: AttemptId, reason: Schema.String },
  /** Whoever ran the calls of a self-hosted environment does so no more, and those that it owes may have begun. */
  LoseWorker: {},
  /** More events carry the content of those whose redaction was asked for. */
  WidenRedaction: { seqs: Schema.Array(Schema.Int), reason: Schema.String, replacements: Schema.Array(Sha256Hex) },
  ConfirmRedaction: { seqs: Schema.Array(Schema.Int) },
  Note: { event: ReservedEvent },
  /** Time has come for whatever was due. Late or double, it changes nothing. */
  Wake: {}
} as const

export const SessionCommand = Schema.TaggedUnion({ ...clientCommands, ...innerCommands })
export type SessionCommand = typeof SessionCommand.Type
export type CommandOf<Tag extends SessionCommand["_tag"]> = Extract<SessionCommand, { readonly _tag: Tag }>

export const isClientCommand = (tag: string): boolean => Object.hasOwn(clientCommands, tag)

/** A command as it reaches a session: who, when, and under which ids. Nothing else enters a decision. */
export const Command = Schema.Struct({
  commandId: CommandId,
  /** Milliseconds since 1970. */
  at: Schema.Int,
  actor: Actor,
  correlationId: Schema.String.check(Schema.isPattern(/^[0-9a-f]{32}$/)),
  body: SessionCommand
})
export type Command = typeof Command.Type

export const Refusal = Schema.TaggedUnion({
  NotOpen: {},
  AlreadyOpen: {},
  Ended: {},
  Busy: {},
  UnknownThread: { threadId: Schema.String },
  UnknownTurn: { turnId: Schema.String },
  TurnNotQueued: { turnId: Schema.String },
  StaleQueue: { expected: Schema.Int, actual: Schema.Int },
  QueueFull: { max: Schema.Int, retryAfterMs: Schema.Int },
  UnknownCall: { callId: Schema.String },
  CallNotAwaiting: { callId: Schema.String, awaits: Schema.String },
  UnknownResource: { resourceId: Schema.String },
  UnknownTimer: { timerId: Schema.String },
  UnknownSeq: { seq: Schema.Int },
  TooManyThreads: { max: Schema.Int },
  TooManyResources: { max: Schema.Int },
  IdTaken: { id: Schema.String },
  NothingToRetry: {},
  NothingToSteer: {},
  BudgetReached: {},
  BudgetNotRaised: { metric: Schema.String, consumed: Schema.Int },
  BudgetCreateOnly: {},
  AttemptEnded: { attemptId: Schema.String },
  NotDue: {},
  FrameHole: { expected: Schema.Int, got: Schema.Int },
  ProtocolViolation: { frame: Schema.Int, detail: Schema.String },
  Invalid: { field: Schema.String, detail: Schema.String }
})
export type Refusal = typeof Refusal.Type

/** A command that a session refused, and why. */
export class CommandRejected extends Schema.TaggedError<CommandRejected>()("CommandRejected", {
  command: Schema.String,
  reason: Refusal
}) {
  override get message() {
    return `${this.command} was refused: ${this.reason._tag}`
  }
}

const passing: ReadonlySet<Refusal["_tag"]> = new Set(["NotOpen", "QueueFull", "AttemptEnded", "NotDue", "FrameHole"])

/** Final refusals are kept with the log, so that a retry meets the same answer; passing ones are tried again. */
export const isFinal = (reason: Refusal): boolean => !passing.has(reason._tag)
