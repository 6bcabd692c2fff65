import type { AttemptId, RunnerId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import type { Digests } from "@troupe/domain/session/events/turns"
import type { Frame } from "@troupe/domain/session/Frame"
import type { Call, Message } from "@troupe/domain/session/SessionState"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import { Context, type Effect, Schema, type Stream } from "effect"

/** A turn that wants a runner. */
export interface PlaceRequest {
  readonly sessionId: SessionId
  readonly threadId: ThreadId
  readonly turnId: TurnId
  readonly overrides: TurnOverrides
  /** The runner that holds the session's sandbox, to be preferred. */
  readonly home: string | null
}

export type Placement =
  | { readonly _tag: "Placed"; readonly runnerId: RunnerId; readonly digests: typeof Digests.Type }
  | { readonly _tag: "Waiting"; readonly reason: string }

/** An attempt as its owner knows it. `epoch` fences: a runner refuses calls of an epoch below one it has seen. */
export interface AttemptRef {
  readonly sessionId: SessionId
  readonly epoch: number
  readonly threadId: ThreadId
  readonly turnId: TurnId
  readonly attemptId: AttemptId
  readonly runnerId: RunnerId
}

export interface RunRequest extends AttemptRef {
  readonly overrides: TurnOverrides
  /** Calls that were asked for in an earlier attempt of this turn and may go on now. */
  readonly calls: ReadonlyArray<Call>
  /** The log up to here, for the history that the harness gets. */
  readonly version: number
}

/** What a runner says about an attempt. Deltas are not events: they may be lost, and wait for their frame. */
export type Output =
  | { readonly _tag: "Frames"; readonly frames: ReadonlyArray<Frame> }
  | {
      readonly _tag: "Delta"
      readonly blockId: string
      readonly offset: number
      readonly text: string
      readonly afterFrame: number
    }
  /** The runner was heard: its lease goes on. */
  | { readonly _tag: "Contact" }

export type Delivery =
  | { readonly _tag: "Interrupt" }
  | { readonly _tag: "Stop"; readonly reason: "paused" | "budget" }
  | { readonly _tag: "Steer"; readonly message: Message }

/** The runner has never heard of this attempt: it is to be run. */
export class AttemptUnknown extends Schema.TaggedError<AttemptUnknown>()("AttemptUnknown", {
  attemptId: Schema.String
}) {
  override get message() {
    return `The runner does not know attempt ${this.attemptId}`
  }
}

/** The runner can't be reached now. */
export class RunnerAway extends Schema.TaggedError<RunnerAway>()("RunnerAway", { runnerId: Schema.String }) {
  override get message() {
    return `Runner ${this.runnerId} can't be reached`
  }
}

/** The runner's disk is not the one the attempt ran on, or it was told to forget: the attempt can't come back. */
export class AttemptGone extends Schema.TaggedError<AttemptGone>()("AttemptGone", {
  attemptId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Attempt ${this.attemptId} is gone: ${this.reason}`
  }
}

/** The runner has seen a newer owner of this session. */
export class EpochRefused extends Schema.TaggedError<EpochRefused>()("EpochRefused", {
  sessionId: Schema.String,
  epoch: Schema.Int,
  seen: Schema.Int
}) {
  override get message() {
    return `Epoch ${this.epoch} of ${this.sessionId} was refused: the runner has seen ${this.seen}`
  }
}

/** How attempts get done. Every call carries the epoch, and none leaves before the event that led to it is committed. */
export class AttemptDriver extends Context.Service<
  AttemptDriver,
  {
    readonly place: (request: PlaceRequest) => Effect.Effect<Placement>
    /** Starts the attempt, once ever; a repeat gets its frames. */
    readonly run: (request: RunRequest) => Stream.Stream<Output, RunnerAway | EpochRefused | AttemptGone>
    /**
     * What came after `afterFrame`, and what comes from now on. Acknowledges what came up to it: an owner may have died
     * between its commit and its acknowledgement. Ends when the attempt has ended.
     */
    readonly attach: (
      attempt: AttemptRef,
      afterFrame: number
    ) => Stream.Stream<Output, AttemptUnknown | RunnerAway | EpochRefused | AttemptGone>
    /** Frames up to `frame` are in the log: the runner may forget them, and calls behind the intent gate may begin. */
    readonly acknowledge: (attempt: AttemptRef, frame: number) => Effect.Effect<void>
    /** Repeats are harmless. A runner that has not heard of the attempt yet says so: it is told again. */
    readonly deliver: (
      attempt: AttemptRef,
      delivery: Delivery
    ) => Effect.Effect<void, AttemptUnknown | RunnerAway | EpochRefused>
    /** The attempt counts no more: the runner stops it and forgets it, now or at its next hello. */
    readonly revoke: (attempt: AttemptRef) => Effect.Effect<void>
  }
>()("server/AttemptDriver") {}
