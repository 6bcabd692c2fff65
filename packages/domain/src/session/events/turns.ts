import { Schema } from "effect"
import { AttemptId, EventId, RunnerId, ThreadId, TurnId } from "../../Ids.ts"
import { JsonObject } from "../../Json.ts"
import { Sha256Hex } from "../../log/Envelope.ts"
import { Content } from "../Content.ts"
import { TurnOverrides } from "../Input.ts"
import { ErrorInfo } from "../Status.ts"

const inThread = { threadId: ThreadId }
const inTurn = { ...inThread, turnId: TurnId }
const inAttempt = { ...inTurn, attemptId: AttemptId }
/** The number of the runner's frame that said so; null where the server concluded it. */
const framed = { ...inAttempt, frame: Schema.NullOr(Schema.Int) }

/** What led to an attempt, so that an auditor can tell which rules and which catalog it ran under. */
export const Digests = Schema.Struct({
  policy: Sha256Hex,
  catalog: Sha256Hex,
  agent: Sha256Hex,
  harness: Schema.String,
  model: Schema.String
})
export type Digests = typeof Digests.Type

/** Messages and the queue. Receiving an input and taking it up are two events: the second gives it its place. */
export const queue = {
  MessageReceived: {
    ...inTurn,
    inputId: EventId,
    content: Content,
    mode: Schema.Literals(["queue", "steer"]),
    at: Schema.Int
  },
  /** It came with an input that is not taken up yet, and takes its place when that one does. */
  SystemMessageQueued: { ...inThread, inputId: EventId, follows: EventId, content: Content, at: Schema.Int },
  /** It has its place in the conversation: here. */
  SystemMessageReceived: { ...inThread, inputId: EventId, content: Content, at: Schema.Int },
  TurnQueued: {
    ...inTurn,
    inputId: EventId,
    place: Schema.Literals(["back", "front"]),
    overrides: TurnOverrides,
    needsApproval: Schema.Boolean,
    queueVersion: Schema.Int
  },
  TurnEdited: {
    ...inTurn,
    content: Schema.optionalKey(Content),
    overrides: Schema.optionalKey(TurnOverrides),
    queueVersion: Schema.Int
  },
  /** It stands before `before` now; null: at the back. */
  TurnMoved: { ...inTurn, before: Schema.NullOr(TurnId), queueVersion: Schema.Int },
  TurnWithdrawn: { ...inTurn, queueVersion: Schema.Int },
  TurnApproved: { ...inTurn, queueVersion: Schema.Int },
  SteerQueued: { ...inTurn, inputId: EventId },
  /** An input is taken up: its place among the events readers see. Carries its content, so that a reader needs no other event. */
  MessageTaken: {
    ...inTurn,
    inputId: EventId,
    /** The thread that it comes from; absent where it comes from outside. */
    from: Schema.optionalKey(ThreadId),
    content: Content,
    at: Schema.Int,
    attemptId: Schema.NullOr(AttemptId),
    frame: Schema.NullOr(Schema.Int)
  }
} as const

/** A turn from its start to its end, with its attempts. */
export const turns = {
  TurnStarted: { ...inTurn, overrides: TurnOverrides, queueVersion: Schema.Int, at: Schema.Int },
  /** No runner can take it yet, and why. */
  TurnWaiting: { ...inTurn, reason: Schema.String, at: Schema.Int },
  AttemptStarted: { ...inAttempt, runnerId: RunnerId, number: Schema.Int, digests: Digests, at: Schema.Int },
  AttemptLost: { ...inAttempt, reason: Schema.String, at: Schema.Int },
  /** The attempt ended without ending the turn: it waits for answers, a budget, or the end of a pause. */
  TurnSuspended: {
    ...framed,
    reason: Schema.Literals(["requires_action", "budget", "paused"]),
    at: Schema.Int
  },
  /** What it waited for is there: a new attempt is due. */
  TurnResumed: { ...inTurn, at: Schema.Int },
  TurnRescheduled: { ...inTurn, error: ErrorInfo, notBefore: Schema.Int, failures: Schema.Int, at: Schema.Int },
  /** A call's outcome is not known, so trying again is a person's decision. */
  RetryAsked: { ...inTurn, callIds: Schema.Array(EventId), error: ErrorInfo, at: Schema.Int },
  RetryDecided: { ...inTurn, at: Schema.Int },
  /** It is to be tried again once the turn that its thread runs is over, before any other that waits. */
  RetryQueued: { ...inTurn, at: Schema.Int },
  /** A failed turn is tried again: its sums go on. */
  TurnRetried: { ...inTurn, at: Schema.Int },
  InterruptRequested: {
    ...inThread,
    inputId: EventId,
    /** Null where nothing ran: it changed nothing. */
    turnId: Schema.NullOr(TurnId),
    deadline: Schema.Int,
    at: Schema.Int
  },
  TurnInterrupted: { ...framed, attemptId: Schema.NullOr(AttemptId), inputIds: Schema.Array(EventId), at: Schema.Int },
  TurnCompleted: {
    ...framed,
    stop: Schema.Literals(["end_turn", "max_steps", "refusal"]),
    details: Schema.NullOr(JsonObject),
    /** Interrupts that came too late to stop it. */
    inputIds: Schema.Array(EventId),
    at: Schema.Int
  },
  TurnFailed: {
    ...inTurn,
    error: ErrorInfo,
    retryStatus: Schema.Literals(["exhausted", "terminal"]),
    at: Schema.Int
  },
  /** An attempt failed inside: the harness says what happened and goes on. */
  AttemptTroubled: { ...framed, error: ErrorInfo, retryStatus: Schema.Literals(["retrying", "exhausted", "terminal"]) },
  /** A frame whose event belongs to the session was recorded with the event before this one. */
  FrameNoted: framed,
  /** Frames came for an attempt that has ended. They changed nothing. */
  FramesRefused: { threadId: ThreadId, attemptId: AttemptId, from: Schema.Int, to: Schema.Int }
} as const
