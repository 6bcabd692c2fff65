import type { RunnerId, SessionId, ThreadId, TurnId, WorkspaceId } from "@troupe/domain/Ids"
import type {
  AttemptGone,
  AttemptRef,
  AttemptUnknown,
  Delivery,
  EpochRefused,
  Output,
  RunnerAway
} from "@troupe/domain/runner/Attempt"
import type { Digests } from "@troupe/domain/session/events/turns"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { OpenSession, Turn } from "@troupe/domain/session/SessionState"
import { Context, type Effect, type Stream } from "effect"

/** A turn that wants a runner. */
export interface PlaceRequest {
  readonly sessionId: SessionId
  /** The session's log says up to here what the turn needs. */
  readonly version: number
  readonly threadId: ThreadId
  readonly turnId: TurnId
  readonly overrides: TurnOverrides
  /** The runner that holds the session's sandbox, to be preferred. */
  readonly home: string | null
}

export interface Placed {
  readonly _tag: "Placed"
  readonly runnerId: RunnerId
  readonly digests: typeof Digests.Type
}

export type Placement = Placed | { readonly _tag: "Waiting"; readonly reason: string }

/** The same, where what led to it is not in the log yet. */
export interface EarlyPlaceRequest extends PlaceRequest {
  /** What comes after `version`, if the log takes it. */
  readonly since: ReadonlyArray<SessionEvent>
}

/** An attempt that is to begin. What else its runner must know is in the session's state and log, up to `version`. */
export interface AttemptOrder extends AttemptRef {
  readonly version: number
  readonly session: OpenSession
  readonly turn: Turn
  /** The span that it hangs from; null where none is known. */
  readonly traceparent: string | null
}

/** What a session has on a runner, as its owner knows it. */
export interface PlaceLeft {
  readonly sessionId: SessionId
  readonly workspaceId: WorkspaceId
  readonly runnerId: string
  readonly epoch: number
}

/** What an owner has from an attempt: frames up to `frame` are in the log, signs of life up to `contact` were heard. */
export interface Heard {
  readonly frame: number
  readonly contact: number
}

/** How attempts get done. Every call carries the epoch, and none leaves before the event that led to it is committed. */
export class AttemptDriver extends Context.Service<
  AttemptDriver,
  {
    readonly place: (request: PlaceRequest) => Effect.Effect<Placement>
    /**
     * The same for a turn whose runner is certain without asking anybody, so that its attempt is started by the commit that
     * makes it due; null where it is not.
     */
    readonly placeAtOnce?: (request: EarlyPlaceRequest) => Placed | null
    /** Starts the attempt, once ever; a repeat gets its frames. */
    readonly run: (order: AttemptOrder) => Stream.Stream<Output, RunnerAway | EpochRefused | AttemptGone>
    /**
     * What came after `afterFrame`, and what comes from now on. Acknowledges what came up to it: an owner may have died
     * between its commit and its acknowledgement. Ends when the attempt has ended.
     */
    readonly attach: (
      attempt: AttemptRef,
      afterFrame: number
    ) => Stream.Stream<Output, AttemptUnknown | RunnerAway | EpochRefused | AttemptGone>
    /** The runner may forget what is in the log, calls behind the intent gate may begin, and its lease goes on. */
    readonly acknowledge: (attempt: AttemptRef, heard: Heard) => Effect.Effect<void>
    /** Repeats are harmless. A runner that has not heard of the attempt yet says so: it is told again. */
    readonly deliver: (
      attempt: AttemptRef,
      delivery: Delivery
    ) => Effect.Effect<void, AttemptUnknown | RunnerAway | EpochRefused>
    /** The attempt counts no more: the runner stops it and forgets it, now or at its next hello. */
    readonly revoke: (attempt: AttemptRef) => Effect.Effect<void>
    /** The session is deleted, and its place goes: now, or at the runner's next greeting. */
    readonly takeAway: (place: PlaceLeft) => Effect.Effect<void>
  }
>()("server/AttemptDriver") {}
